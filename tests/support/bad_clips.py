"""The named kinds of bad input, and what each must come to. Made from two seconds of the demo clip."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.media.encode import FPS, RATE, Frames, Samples, write_clip
from tests.support.malformed import PLAYLISTS
from tests.support.mp4_boxes import box, find, patched, with_moov, without
from tests.support.odd_clips import Odd, odd_clip

Make = Callable[[Frames, Samples], bytes]
SIDE = 16_000  # pixels


@dataclass(frozen=True)
class Fate:
    """`code` at the door with `status`, or else at the end of a job; without a code it completes,
    with exactly these (modality, reason) in `degraded`."""

    make: Make
    code: str = ""
    status: int = 202
    degraded: tuple[tuple[str, str], ...] = ()


def uneven(number: int) -> float:
    """When frame `number` is shown where a camera takes its time now and then."""
    return (number + 0.4 * (number % 3)) / FPS


def faceless(seconds: int) -> Frames:
    """Moving stripes."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 144, 0).repeat(3, 2)
    return np.stack([np.roll(ramp, 4 * i, 1) for i in range(seconds * FPS)])


def two_hours(frames: Frames, samples: Samples) -> bytes:
    """A film of one tiny picture a second."""
    return odd_clip(np.zeros((7200, 16, 16, 3), np.uint8), None, Odd(times=float))


def huge(frames: Frames, samples: Samples) -> bytes:
    """A motion JPEG whose headers, the container's and each picture's, all claim 16000 x 16000."""
    data = odd_clip(frames[:10, :16, :16], None, Odd(container="avi", video="mjpeg", pix_fmt="yuvj420p"))
    data = patched(data, data.index(b"strf") + 12, struct.pack("<II", SIDE, SIDE))
    start_of_frame, size = b"\xff\xc0\x00\x11\x08", struct.pack(">HH", 16, 16)
    assert data.count(start_of_frame + size) == 10
    return data.replace(start_of_frame + size, start_of_frame + struct.pack(">HH", SIDE, SIDE))


def no_frames(frames: Frames, samples: Samples) -> bytes:
    clip = write_clip(frames, None)
    return patched(clip, find(clip, b"stsz").body + 8, bytes(4))


def unknown_codec(frames: Frames, samples: Samples) -> bytes:
    clip = write_clip(frames, None)
    return patched(clip, find(clip, b"stsd").body + 12, b"zzzz")


def many_tracks(frames: Frames, samples: Samples) -> bytes:
    clip = write_clip(frames, None)
    track = find(clip, b"trak")
    return with_moov(clip, clip[track.start : track.end] * 40)


def no_tracks(frames: Frames, samples: Samples) -> bytes:
    clip = write_clip(frames, None)
    header = find(clip, b"mvhd")
    return without(clip, find(clip, b"moov")) + box(b"moov", clip[header.start : header.end])


REFUSED = {
    "empty": Fate(lambda f, s: b"", "empty_file", 422),
    "text named .mp4": Fate(lambda f, s: b"Dear reader,\n" * 9, "unsupported_media", 415),
    "archive": Fate(lambda f, s: b"PK\x03\x04" + bytes(200), "unsupported_media", 415),
    "playlist": Fate(lambda f, s: PLAYLISTS["m3u8"], "playlist_refused", 415),
    "concat file": Fate(lambda f, s: PLAYLISTS["ffconcat"], "playlist_refused", 415),
}
FAILED = {
    "cut off before its index": Fate(lambda f, s: write_clip(f, s)[:20_000], "unreadable_media"),
    "cut off within its header": Fate(lambda f, s: write_clip(f, s)[:20], "unreadable_media"),
    "no tracks": Fate(no_tracks, "no_streams"),
    "no frames": Fate(no_frames, "no_frames"),
    "unknown codec": Fate(unknown_codec, "unsupported_codec"),
    "16000 x 16000": Fate(huge, "too_many_pixels"),
    "two hours": Fate(two_hours, "too_long"),
    "41 tracks": Fate(many_tracks, "too_many_streams"),
    "1 x 1": Fate(
        lambda f, s: odd_clip(f[:, :1, :1], None, Odd("matroska", "ffv1", "bgr0")), "nothing_to_analyse"
    ),
    "no face and no sound": Fate(lambda f, s: write_clip(faceless(2), None), "nothing_to_analyse"),
    "silence": Fate(lambda f, s: write_clip(None, 0 * s), "nothing_to_analyse"),
}
DEGRADED = {
    "sound alone": Fate(lambda f, s: write_clip(None, s), degraded=(("video", "no_video_stream"),)),
    "picture alone": Fate(lambda f, s: write_clip(f, None), degraded=(("audio", "no_audio_stream"),)),
    "one frame": Fate(lambda f, s: write_clip(f[:1], None), degraded=(("audio", "no_audio_stream"),)),
    "no face": Fate(lambda f, s: write_clip(faceless(2), s), degraded=(("video", "no_face"),)),
    "no speech": Fate(lambda f, s: write_clip(f, 0 * s), degraded=(("audio", "no_speech"),)),
    "1 x 1 with sound": Fate(
        lambda f, s: odd_clip(f[:, :1, :1], s, Odd("matroska", "ffv1", "bgr0", rate=48_000)),
        degraded=(("video", "no_face"),),
    ),
}
FINE = {
    "turned": Fate(lambda f, s: odd_clip(np.rot90(f, 1, (1, 2)), s, Odd(rotation=270))),
    "variable frame rate": Fate(lambda f, s: odd_clip(f, s, Odd(times=uneven))),
    "8 kHz": Fate(lambda f, s: odd_clip(f, s, Odd(rate=8_000))),
    "96 kHz": Fate(lambda f, s: odd_clip(f, s, Odd(rate=96_000))),
    "7.1": Fate(lambda f, s: odd_clip(f, s, Odd(rate=48_000, layout="7.1"))),
    "picture late": Fate(lambda f, s: odd_clip(f, s, Odd(times=lambda n: 2 + n / FPS))),
    "both late": Fate(
        lambda f, s: odd_clip(f, s, Odd("mpegts", times=lambda n: 100 + n / FPS, audio_start=100.0))
    ),
}
# Two recordings in one file: the second begins at the time of the first again.
BACKWARDS = {"times going backwards": Fate(lambda f, s: 2 * odd_clip(f, s, Odd("mpegts")))}
FATES = REFUSED | FAILED | DEGRADED | FINE | BACKWARDS


def make(name: str, frames: Frames, samples: Samples) -> bytes:
    """The file called `name` in `FATES`, from the whole demo clip."""
    return FATES[name].make(frames[: 2 * FPS], samples[: 2 * RATE])
