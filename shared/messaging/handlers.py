"""What a processing step looks like to the loop: a generator over a batch of tasks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.contracts.codec import Message
from shared.contracts.records import Record
from shared.observability.logs import bind


class Finished(Enum):
    """The type of `FINISHED`."""

    FINISHED = "finished"


FINISHED = Finished.FINISHED


@dataclass(frozen=True)
class Task:
    """One input. `message` is what the loop's decoder returned: by default a `codec.Message`."""

    record: Record
    message: Any
    traceparent: str

    @property
    def job_id(self) -> str:
        return str(getattr(self.message, "job_id", "") or "")


Outcome = Message | Exception | Finished
Step = tuple[int, Outcome]
Handler = Callable[[Sequence[Task]], Iterator[Step]]
"""Takes a batch of tasks (of different jobs and partitions) and yields, as soon as it is ready:

- `(i, message)`: an output of task i, published at once;
- `(i, FINISHED)`: task i has all its outputs; its offset is committed once all are acknowledged;
- `(i, exception)`: task i failed: `InvalidRecord` is dead-lettered at once, `Transient` is retried
  with back-off until `message.deadline` (if it has one), anything else `max_attempts` times and then
  dead-lettered as "unexpected".

The end of the generator finishes the rest. Out of it, `Transient` retries all unfinished tasks;
any other exception makes the loop run the unfinished tasks one by one, to isolate the poison.
A repeat publishes outputs again: give the same ids (`Event.ce_id`), so readers recognise them.
It runs in a worker thread and is closed early (`GeneratorExit`) if its partitions are revoked.
"""


def one_by_one(handle: Callable[[Task], Iterable[Message]]) -> Handler:
    """A handler that gives each task of the batch to `handle`; one task's fault is only its own."""

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        for index, task in enumerate(tasks):
            try:
                with bind(job_id=task.job_id, traceparent=task.traceparent):
                    for message in handle(task):
                        yield index, message
            except Exception as error:
                yield index, error
            else:
                yield index, FINISHED

    return handler
