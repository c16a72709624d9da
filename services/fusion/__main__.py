"""`python -m services.fusion`: joins, scores, decides. Configuration: `settings.py`."""

import asyncio
import logging
import signal
import sys

from services.fusion.judge import Judge
from services.fusion.settings import FusionSettings
from shared.messaging.settings import KafkaSettings
from shared.observability.health import Health
from shared.observability.health import serve as serve_ops
from shared.observability.logs import setup_logging

log = logging.getLogger("services.fusion")


def main() -> int:
    """0 after SIGTERM or SIGINT; 1 when going on would be unsafe, for a supervisor to start it anew."""
    settings = FusionSettings()
    setup_logging("fusion", settings.log_level)
    health = Health()
    health.set_ready("model", False)
    ops = serve_ops(health, settings.metrics_port)
    try:
        asyncio.run(_run(settings, health))
        return 0
    except Exception:
        log.exception("fusion ends; it has to be started again")
        return 1
    finally:
        ops.close()


async def _run(settings: FusionSettings, health: Health) -> None:
    from services.fusion.service import serve  # Faust takes its time to import

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    judge = await asyncio.to_thread(_load, settings)
    health.set_ready("model", True)
    await serve(settings, KafkaSettings().bootstrap_servers, judge, health, stop)


def _load(settings: FusionSettings) -> Judge:
    from services.fusion.pool import PoolJudge
    from shared.inference.bundles import load_pool
    from shared.storage import S3Settings, open_store

    judge = PoolJudge(load_pool(settings, open_store(S3Settings()), parts=("scorer",)))
    judge.warm_up()
    return judge


if __name__ == "__main__":
    sys.exit(main())
