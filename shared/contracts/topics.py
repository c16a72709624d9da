"""The one table of topics: who writes, what is in them, how long they keep it."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.base import Event
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import (
    Cancelled,
    DeadlinePassed,
    JobAccepted,
    JobDeleted,
    MediaSubmitted,
    Planned,
    Rejected,
    SegmentPlanned,
)
from shared.contracts.results import Explained, Verdict, WindowScored

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Topic:
    """`messages` are the types it may carry; empty for foreign formats and dead letters."""

    name: str
    key: str
    writer: Literal["upstream", "object store", "ingest", "audio_worker", "video_worker",
                    "fusion", "explain", "any"]
    readers: tuple[str, ...]
    meaning: str
    messages: tuple[type[Event] | type[Embedding], ...] = ()
    cleanup: str = "delete"
    retention_ms: int = 7 * DAY_MS
    partitions: int = 24
    max_message_bytes: int = 1024 * 1024

    def config(self) -> dict[str, str]:
        """The topic's configuration as Kafka's admin API takes it."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
        }


MEDIA_SUBMITTED = Topic("media-submitted-v1", "anything", "upstream", ("ingest",),
                        "a platform asks for an analysis", (MediaSubmitted,))
INBOX = Topic("inbox-notifications-v1", "object", "object store", ("ingest",),
              "a file was dropped in the inbox bucket (S3 event JSON)")
JOBS = Topic("jobs-v1", "job_id", "ingest", ("ingest",),
             "the accepted submission, whole; later its deleted marker",
             (JobAccepted, JobDeleted), cleanup="compact", retention_ms=-1)
JOB_CONTROL = Topic("job-control-v1", "job_id", "ingest", ("ingest", "fusion"),
                    "what is planned, and what closes a job early",
                    (Planned, Rejected, Cancelled, DeadlinePassed))
VIDEO_EVENTS = Topic("video-events-v1", "job_id:segment", "ingest",
                     ("audio_worker", "video_worker"),
                     "one segment of up to 30 s to analyse", (SegmentPlanned,))
AUDIO_EMBEDDINGS = Topic("audio-embeddings-v1", "job_id", "audio_worker", ("fusion",),
                         "one record a planned window", (Embedding,), retention_ms=DAY_MS)
VIDEO_EMBEDDINGS = Topic("video-embeddings-v1", "job_id", "video_worker", ("fusion",),
                         "one record a planned window", (Embedding,), retention_ms=DAY_MS)
WINDOW_SCORES = Topic("window-scores-v1", "job_id", "fusion", ("ingest",),
                      "one score a joined window", (WindowScored,))
VERDICTS = Topic("verdicts-v1", "job_id", "fusion", ("ingest", "explain"),
                 "the verdict, terminal", (Verdict,), cleanup="compact,delete",
                 retention_ms=30 * DAY_MS, max_message_bytes=4 * 1024 * 1024)
EXPLANATIONS = Topic("explanations-v1", "job_id", "explain", ("ingest",),
                     "artifacts, or why there are none, terminal", (Explained,),
                     cleanup="compact,delete", retention_ms=30 * DAY_MS)
DEAD_LETTERS = Topic("dead-letters-v1", "original key", "any", ("operators",),
                     "records that a service cannot process, with their reason",
                     retention_ms=30 * DAY_MS, max_message_bytes=8 * 1024 * 1024)

TOPICS: tuple[Topic, ...] = (
    MEDIA_SUBMITTED, INBOX, JOBS, JOB_CONTROL, VIDEO_EVENTS, AUDIO_EMBEDDINGS, VIDEO_EMBEDDINGS,
    WINDOW_SCORES, VERDICTS, EXPLANATIONS, DEAD_LETTERS,
)


def embeddings_topic(modality: str) -> Topic:
    """The topic of a modality's embedding records."""
    return AUDIO_EMBEDDINGS if modality == "audio" else VIDEO_EMBEDDINGS
