"""What all messages have in common."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Modality = Literal["video", "audio"]


class Body(BaseModel):
    """Frozen, and unknown fields are ignored, so that a newer writer never breaks an older reader."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Event(Body):
    """A message body. `TYPE` is its CloudEvents type; the trailing number is the major version."""

    TYPE: ClassVar[str]
    job_id: str

    def ce_id(self) -> str:
        """A deterministic CloudEvents id: a repeat of the same message has the same id."""
        raise NotImplementedError


class ErrorBody(Body):
    """A stable code from `shared.contracts.errors.ERRORS` and a sentence for people."""

    code: str
    message: str


class Degradation(Body):
    """A modality that could not be used, wholly or in part, and why (a code from `ERRORS`)."""

    modality: Modality
    reason: str
    windows: int | None = None
