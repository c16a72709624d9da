"""Everything about a job in one file for machines."""

import json
from collections.abc import Sequence

from shared.contracts.results import AnomalousFrame, Artifact, AudioAnomaly, Verdict

SCHEMA_VERSION = "1.0"


def write_report(
    verdict: Verdict,
    frames: Sequence[AnomalousFrame],
    sounds: Sequence[AudioAnomaly],
    artifacts: Sequence[Artifact],
) -> bytes:
    """JSON with sorted keys: the same inputs give the same bytes."""
    body = {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict.model_dump(mode="json", exclude={"media_uri"}),
        "anomalous_frames": [frame.model_dump(mode="json") for frame in frames],
        "audio_anomalies": [sound.model_dump(mode="json") for sound in sounds],
        "artifacts": [artifact.model_dump(mode="json") for artifact in artifacts],
    }
    return json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"
