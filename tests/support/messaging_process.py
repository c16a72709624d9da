"""A service in a process of its own, to be killed: `TOPIC GROUP HOLD_JOB HOLD_FILE`, Kafka by environment.

It prints each job id when it begins it and publishes it on; job HOLD_JOB waits for HOLD_FILE to exist.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from shared.contracts.codec import Message
from shared.contracts.jobs import Cancelled
from shared.messaging.loop import Loop, Task, one_by_one
from shared.messaging.producer import Producer
from shared.messaging.settings import KafkaSettings
from shared.observability.logs import setup_logging
from shared.observability.runner import stop_on_signals
from tests.support.messaging import FAST


def main(topic: str, group: str, hold_job: str, hold_file: str) -> None:
    setup_logging("test service")
    kafka = KafkaSettings()

    def handle(task: Task) -> Iterator[Message]:
        print(task.job_id, flush=True)
        while task.job_id == hold_job and not Path(hold_file).exists():
            threading.Event().wait(0.02)
        yield Cancelled(job_id=task.job_id)

    producer = Producer(kafka, group)
    Loop(kafka, group, [topic], one_by_one(handle), producer, batch=FAST).run(stop_on_signals())
    producer.close()
    print("stopped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
