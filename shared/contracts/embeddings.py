"""Embedding records: safetensors bytes, because tensors need a dtype and a shape and no code.

Tensors:

- video, status ok: `embedding` (faces, 2048) float16; `transforms` (faces, 5, 2, 3) float32, the
  affine maps from the original frame to each 224 x 224 crop; optional `mouth` and `logits`.
- audio, status ok: `tokens` (A, 512) float16; `mask` (A,) uint8, 1 where the token is speech;
  optional `logits`.
- status absent or failed: no tensors, and `reason` is a code from `errors.ERRORS`.
"""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from shared.contracts.base import Body, Modality
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
        fields = {name: getattr(self, name) for name in EmbeddingMeta.model_fields}
        # One metadata key: safetensors does not keep the order of several.
        metadata = {"veracity": json.dumps(fields, sort_keys=True)}
        return save({k: np.ascontiguousarray(v) for k, v in self.tensors.items()}, metadata)

    @staticmethod
    def from_bytes(data: bytes) -> "Embedding":
        """Raises `InvalidRecord("malformed")` on anything that `to_bytes` would not write."""
        try:
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            meta = EmbeddingMeta.model_validate_json(header["__metadata__"]["veracity"])
            tensors = load(data)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, SafetensorError) as error:
            raise InvalidRecord("malformed", f"no embedding record: {str(error)[:300]}") from error
        if meta.status == "ok":
            missing = [name for name in _REQUIRED[meta.modality] if name not in tensors]
            if missing:
                raise InvalidRecord("malformed", f"embedding lacks {', '.join(missing)}")
        return Embedding(**dict(meta), tensors=tensors)


class EmbeddingMeta(Body):
    """The fields that travel as safetensors metadata."""

    job_id: str
    window_index: int = Field(ge=0)
    modality: Modality
    status: Status
    bundle_digest: str
    runtime: str = ""
    reason: str = ""
    speech: float | None = None
    faces: int | None = None
