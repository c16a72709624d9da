"""CPU of the join alone, a joined window: decoding both records, the join, its state; no model, no Kafka."""

import asyncio
import statistics
import time

from services.fusion.step import Fusion
from shared.contracts.base import Event
from shared.contracts.embeddings import Embedding
from shared.messaging.limits import DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from tests.support.fusion_fakes import FakeJudge, MemoryPorts, embeddings, plan, record

WINDOWS, ROUNDS, BATCH = 600, 5, 64


def join_cpu_ms() -> float:
    """Median over some rounds of process CPU milliseconds a window, in batches as the service takes them.

    The judge of the tests stands for the model; its hashing is part of the figure.
    """
    return statistics.median(_one_round(f"job-{i}") for i in range(ROUNDS))


def _one_round(job_id: str) -> float:
    messages: list[Event | Embedding] = [plan(job_id, WINDOWS), *embeddings(job_id, WINDOWS)]
    records = [record(message, offset=i) for i, message in enumerate(messages)]
    fusion = Fusion(MemoryPorts(), FakeJudge(), DeadLetterRatio(LoopSettings()))
    began = time.process_time()
    for start in range(0, len(records), BATCH):
        asyncio.run(fusion.process(records[start : start + BATCH]))
    return (time.process_time() - began) * 1000 / WINDOWS


if __name__ == "__main__":
    print(f"{join_cpu_ms():.3f} ms of CPU a joined window")
