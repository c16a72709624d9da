"""The least that the same answer costs: one process, no Kafka, no store, no sandbox.

`python -m tests.bench.bare BUNDLE CLIP ...` decodes each clip once, follows faces, listens for speech,
runs the same bundle in batches of the services' sizes, and aggregates. It prints one JSON line.
"""

import io
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from deploy.local.layout import ROOT
from shared.contracts.jobs import MediaInfo
from shared.contracts.results import Series
from shared.inference.settings import WorkerSettings
from shared.media import child_decode, wire
from shared.media.faces import track_faces
from shared.media.limits import Limits
from shared.media.probe import probe
from shared.media.remote import RemoteFile
from shared.media.sources import MemorySource
from shared.media.windows import AudioWindow, VideoWindow, count, frame_size
from shared.models.bundle import load_bundle
from shared.models.detector import Detector
from shared.models.vad import speech_mask
from shared.models.windows import WindowInput

BATCH = WorkerSettings.model_fields["batch_windows"].default


@dataclass(frozen=True)
class Bare:
    seconds: float
    windows: int
    runtime: str


def measure(bundle: str, clips: Sequence[bytes], folder: Path) -> Bare:
    """Runs the loop in a process of its own, on all clips, after one for warming up."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number}.mp4" for number in range(len(clips))]
    for file, clip in zip(files, clips, strict=True):
        file.write_bytes(clip)
    command = [sys.executable, "-m", "tests.bench.bare", bundle, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return Bare(**json.loads(done.stdout.splitlines()[-1]))


def main(bundle: str, files: Sequence[str]) -> Bare:
    detector = load_bundle(bundle).detector
    media = []
    for file in files:  # probing is left out: the pipeline's planner pays for it
        data = Path(file).read_bytes()
        media.append((data, probe(MemorySource(data), "", Limits())))
    _one(detector, *media[0])
    began = time.monotonic()
    windows = sum(_one(detector, data, info) for data, info in media)
    return Bare(time.monotonic() - began, windows, detector.runtime)


def _one(detector: Detector, data: bytes, info: MediaInfo) -> int:
    """One clip to its score; gives the number of its windows."""
    total = count(info.duration_s)
    pictures, sounds = _decode(data, info, total)
    inputs = [WindowInput() for _ in range(total)]
    faces = [w for w in track_faces(pictures) if w.faces]
    for start in range(0, len(faces), BATCH):
        batch = faces[start : start + BATCH]
        found = detector.encode_video(np.stack([face.crops for w in batch for face in w.faces]))
        ends = np.cumsum([len(w.faces) for w in batch])
        for window, rows in zip(batch, np.split(found, ends[:-1]), strict=True):
            inputs[window.index] = WindowInput(video=rows)
    heard = [(w, speech_mask(w.samples, w.valid)[0]) for w in sounds if w.samples is not None]
    heard = [(w, mask) for w, mask in heard if mask.any()]
    for start in range(0, len(heard), 2 * BATCH):
        some = heard[start : start + 2 * BATCH]
        valid = np.array([w.valid for w, _ in some])
        tokens = detector.encode_audio(np.stack([w.samples for w, _ in some if w.samples is not None]), valid)
        masks = detector.token_mask(np.stack([mask for _, mask in some]), valid)
        for (sound, _), token, mask in zip(some, tokens, masks, strict=True):
            inputs[sound.index] = WindowInput(inputs[sound.index].video, token, mask)
    scores = detector.score(inputs)
    series = Series(
        p_fake=tuple(s.p_fake for s in scores), video=tuple(s.video for s in scores),
        audio=tuple(s.audio for s in scores),
        low=tuple(s.interval[0] if s.interval else None for s in scores),
        high=tuple(s.interval[1] if s.interval else None for s in scores),
    )
    detector.aggregate(series, info.duration_s)
    return total


def _decode(data: bytes, info: MediaInfo, total: int) -> tuple[list[VideoWindow], list[AudioWindow]]:
    """What the sandboxed child does, in this process."""
    width, height = frame_size(info.width or 1, info.height or 1)
    streams = {"video": info.video_stream, "audio": info.audio_stream}
    task: wire.Header = {
        "container": info.container, "allow": Limits().model_dump(mode="json"), "start_s": info.start_s,
        "first": 0, "count": total, "indexed": info.indexed, "width": width, "height": height,
        "streams": {kind: index for kind, index in streams.items() if index is not None},
        "rotation": info.rotation, "fps": info.fps,
    }
    pictures: list[VideoWindow] = []
    sounds: list[AudioWindow] = []

    def say(header: wire.Header, *body: Any) -> None:
        content, index, reason = b"".join(body), header["index"], header.get("reason", "")
        if header["kind"] == "video":
            frames = None if reason else np.frombuffer(content, np.uint8).reshape(5, height, width, 3)
            pictures.append(VideoWindow(index, frames, reason))
        else:
            samples = None if reason else np.frombuffer(content, np.float32)
            sounds.append(AudioWindow(index, samples, header.get("valid", 0), reason))

    child_decode.run(cast(RemoteFile, io.BytesIO(data)), task, say)
    return pictures, sounds


if __name__ == "__main__":
    print(json.dumps(asdict(main(sys.argv[1], sys.argv[2:]))))
