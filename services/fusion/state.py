"""A job's state in the join: small, immutable, and rewritten with every record.

Stored as one line of JSON, then the verdict's bytes while a verdict is stored and not yet marked
published. A bitmap of a two-hour film is 1.8 kB of hex.
"""

import json
from dataclasses import dataclass, replace
from typing import Literal

from shared.contracts.base import Modality

Phase = Literal["open", "closing", "done"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What counting needs of a plan; the caller keeps the rest."""

    windows: int
    modalities: tuple[Modality, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Received:
    """Which windows' records came, made with the bundle `digest`: bit i is window i."""

    digest: str
    video: int = 0
    audio: int = 0

    def has(self, modality: Modality, window: int) -> bool:
        return bool(self._of(modality) >> window & 1)

    def add(self, modality: Modality, window: int) -> "Received":
        bits = self._of(modality) | 1 << window
        return replace(self, video=bits) if modality == "video" else replace(self, audio=bits)

    def any(self) -> int:
        return self.video | self.audio

    def joined(self, modalities: tuple[Modality, ...]) -> int:
        """Windows that have a record of each of `modalities`."""
        bits = self._of(modalities[0])
        for modality in modalities[1:]:
            bits &= self._of(modality)
        return bits

    def only(self, mask: int, modalities: tuple[Modality, ...]) -> "Received":
        video = self.video & mask if "video" in modalities else 0
        audio = self.audio & mask if "audio" in modalities else 0
        return Received(self.digest, video, audio)

    def _of(self, modality: Modality) -> int:
        return self.video if modality == "video" else self.audio


@dataclass(frozen=True, slots=True)
class JobState:
    """`reason`: why it closes or closed (complete, deadline, cancelled, rejected).

    `verdict`: the record's bytes, from the moment it is decided until it is marked published.
    `touched_ms`: the time of the last record that changed it, for the tombstone's TTL only.
    """

    phase: Phase = "open"
    reason: str = ""
    plan: Plan | None = None
    received: tuple[Received, ...] = ()
    verdict: bytes = b""
    touched_ms: int = 0

    def received_of(self, digest: str) -> Received:
        return next((r for r in self.received if r.digest == digest), Received(digest))

    def with_received(self, received: Received) -> "JobState":
        others = tuple(r for r in self.received if r.digest != received.digest)
        return replace(self, received=(*others, received))

    def to_bytes(self) -> bytes:
        plan = self.plan
        head = {
            "v": 1, "phase": self.phase, "reason": self.reason, "touched_ms": self.touched_ms,
            "plan": plan and [plan.windows, plan.modalities, plan.digest],
            "received": [[r.digest, f"{r.video:x}", f"{r.audio:x}"] for r in self.received],
        }
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + self.verdict

    @staticmethod
    def from_bytes(data: bytes) -> "JobState":
        line, _, verdict = data.partition(b"\n")
        head = json.loads(line)
        if head["v"] != 1:
            raise ValueError(f"state of version {head['v']}, written by a newer release")
        plan = head["plan"]
        return JobState(
            phase=head["phase"], reason=head["reason"], touched_ms=head["touched_ms"], verdict=verdict,
            plan=Plan(plan[0], tuple(plan[1]), plan[2]) if plan else None,
            received=tuple(Received(d, int(v, 16), int(a, 16)) for d, v, a in head["received"]),
        )
