"""The real service with the judge that has no model: what the integration tests run, kill and run again.

With `DIE_AT=n` it kills itself, as SIGKILL does, right before its n-th write or publication.
"""

import asyncio
import os
import signal
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.process import Server
from services.fusion import service
from services.fusion.kafka_ports import KafkaPorts
from services.fusion.ports import Change
from services.fusion.settings import FusionSettings
from shared.contracts.records import Outgoing
from shared.messaging.settings import KafkaSettings
from shared.observability.health import Health
from shared.observability.health import serve as serve_ops
from shared.observability.logs import setup_logging
from tests.support.fusion_fakes import FakeJudge


class FusionProcess(Server):
    """The service as a child; `folder` has its state and its log."""

    def __init__(self, folder: Path, bootstrap: str, die_at: int | None = None) -> None:
        (self.ops_port,) = free_ports(1)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "VERACITY_METRICS_PORT": str(self.ops_port),
            "VERACITY_STATE_DIR": str(folder / "state"), "DIE_AT": str(die_at or 0),
        }
        command = [sys.executable, "-m", "tests.support.fusion_process"]
        super().__init__("fusion", command, folder / "fusion.log", self._answers, environment)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        url = f"http://127.0.0.1:{self.ops_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 our own loopback address
            lines = answer.read().decode().splitlines()
        mine = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in mine)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=5):  # noqa: S310
                return True
        except OSError:
            return False


class DyingPorts(KafkaPorts):
    """Dies before the n-th operation that would have an effect."""

    left = int(os.environ.get("DIE_AT", "0"))

    async def write(self, partition: int, changes: Sequence[Change]) -> None:
        self._count(len(changes))
        await super().write(partition, changes)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        self._count(len(records))
        await super().publish(records)

    def _count(self, effects: int) -> None:
        if effects and DyingPorts.left:
            DyingPorts.left -= 1
            if not DyingPorts.left:
                os.kill(os.getpid(), signal.SIGKILL)


async def run() -> None:
    settings, stop, health = FusionSettings(), asyncio.Event(), Health()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ops = serve_ops(health, settings.metrics_port, "127.0.0.1")
    try:
        await service.serve(settings, KafkaSettings().bootstrap_servers, FakeJudge(), health, stop)
    finally:
        ops.close()


if __name__ == "__main__":
    service.PORTS = DyingPorts
    setup_logging("fusion", os.environ.get("LOG_LEVEL", "INFO"))
    asyncio.run(run())
