"""Hundreds of broken files: each ends by name, and the parent stays as it was."""

import os

from shared.contracts.outcomes import BadMedia
from shared.media.limits import Limits
from shared.media.windows import ABSENT_REASONS
from tests.support.malformed import malformed
from tests.support.media_maker import make
from tests.support.media_reading import look, read

_EVERY = 4  # a quarter of them here; the whole stack gets them all


def test_each_malformed_file_ends_by_name_and_leaks_nothing() -> None:
    clip = make(seconds=3.0, size=(96, 64), fps=15, b_frames=2)
    look(clip)
    before = len(os.listdir("/proc/self/fd"))
    reasons = {"", "decode_failed", *ABSENT_REASONS}
    outcomes: dict[str, str] = {}
    for name, data in list(malformed(clip).items())[::_EVERY]:
        try:
            info = look(data, Limits(max_duration_s=600))
            pictures, sounds = read(data, info, 0, 3)
            assert {w.reason for w in pictures} | {w.reason for w in sounds} <= reasons
            outcomes[name] = "read"
        except BadMedia as error:
            outcomes[name] = error.code
    assert len(outcomes) > 60
    assert set(outcomes.values()) - {"read", "decoder_crashed"}, outcomes
    assert list(outcomes.values()).count("decoder_crashed") <= 3, outcomes
    assert look(clip).has_video
    # Other tests' clients come and go in this process; a leak would be one for each file at least.
    assert len(os.listdir("/proc/self/fd")) < before + len(outcomes) // 2
