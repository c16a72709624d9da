"""Embedding records: safetensors bytes, because tensors need a dtype and a shape and no code.

Tensors (model-contract.md, "Units and sizes"):

- video, status ok: `embedding` (faces, 2048) float16; `transforms` (faces, 5, 2, 3) float32, the
  affine maps from the original frame to each 224 x 224 crop; optional `mouth` and `logits`.
- audio, status ok: `tokens` (A, 512) float16; `mask` (A,) uint8, 1 where the token is speech;
  optional `logits`.
- status absent or failed: no tensors, and `reason` is a code from `errors.ERRORS`.
"""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from shared.contracts.base import Modality
from shared.contracts.ids import derive
from shared.contracts.outcomes import InvalidRecord

Status = Literal["ok", "absent", "failed"]
Tensors = dict[str, NDArray[Any]]
_REQUIRED = {"video": ("embedding", "transforms"), "audio": ("tokens", "mask")}


@dataclass(frozen=True)
class Embedding:
    """One record for one planned window and modality. `runtime` e.g. "cpu/bfloat16/2"."""

    TYPES: ClassVar[dict[Modality, str]] = {
        "audio": "io.veracity.embedding.audio.v1",
        "video": "io.veracity.embedding.video.v1",
    }
    job_id: str
    window_index: int
    modality: Modality
    status: Status
    bundle_digest: str
    runtime: str = ""
    reason: str = ""
    speech: float | None = None  # audio: fraction of the window that is speech
    faces: int | None = None  # video: faces in this window
    tensors: Tensors = field(default_factory=dict)

    def ce_id(self) -> str:
        return derive(self.modality, self.job_id, self.window_index, self.bundle_digest)

    def to_bytes(self) -> bytes:
        """Deterministic safetensors bytes."""
        fields = {
            "job_id": self.job_id, "window_index": self.window_index, "modality": self.modality,
            "status": self.status, "bundle_digest": self.bundle_digest, "runtime": self.runtime,
            "reason": self.reason, "speech": self.speech, "faces": self.faces,
        }
        # One metadata key: safetensors does not keep the order of several.
        metadata = {"veracity": json.dumps(fields, sort_keys=True)}
        return save({k: np.ascontiguousarray(v) for k, v in self.tensors.items()}, metadata)

    @staticmethod
    def from_bytes(data: bytes) -> "Embedding":
        """Raises `InvalidRecord("malformed")` on anything that `to_bytes` would not write."""
        try:
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            meta = json.loads(header["__metadata__"]["veracity"])
            embedding = Embedding(
                job_id=str(meta["job_id"]), window_index=int(meta["window_index"]),
                modality=_one_of(meta["modality"], ("video", "audio")),
                status=_one_of(meta["status"], ("ok", "absent", "failed")),
                bundle_digest=str(meta["bundle_digest"]), runtime=str(meta.get("runtime", "")),
                reason=str(meta.get("reason", "")), speech=meta.get("speech"),
                faces=meta.get("faces"), tensors=cast(Tensors, load(data)),
            )
        except (KeyError, TypeError, ValueError, SafetensorError) as error:
            raise InvalidRecord("malformed", f"no embedding record: {error}") from error
        if embedding.status == "ok":
            missing = [n for n in _REQUIRED[embedding.modality] if n not in embedding.tensors]
            if missing:
                raise InvalidRecord("malformed", f"embedding lacks {', '.join(missing)}")
        return embedding


def _one_of(value: Any, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {allowed}")
    return value
