"""The real service with the judge that has no model: what the integration tests run, kill and run again."""

import asyncio
import os
import signal

from services.fusion.service import serve
from services.fusion.settings import FusionSettings
from shared.messaging.settings import KafkaSettings
from shared.observability.health import Health
from shared.observability.health import serve as serve_ops
from shared.observability.logs import setup_logging
from tests.support.fusion_fakes import FakeJudge


async def run() -> None:
    settings, stop, health = FusionSettings(), asyncio.Event(), Health()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ops = serve_ops(health, settings.metrics_port, "127.0.0.1")
    try:
        await serve(settings, KafkaSettings().bootstrap_servers, FakeJudge(), health, stop)
    finally:
        ops.close()


if __name__ == "__main__":
    setup_logging("fusion", os.environ.get("LOG_LEVEL", "INFO"))
    asyncio.run(run())
