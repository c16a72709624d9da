"""Fusion as a running service: Faust fetches, assigns, recovers and commits; everything else is ours."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from typing import Any

from faust import App

from services.fusion.declare import declare
from services.fusion.faust_app import ID, make_app
from services.fusion.housekeeping import Housekeeping
from services.fusion.judge import Judge
from services.fusion.kafka_ports import KafkaPorts
from services.fusion.runner import Runner
from services.fusion.settings import FusionSettings
from services.fusion.step import Fusion
from services.fusion.store import open_table
from shared.contracts.topics import AUDIO_EMBEDDINGS, JOB_CONTROL, VIDEO_EMBEDDINGS
from shared.messaging.limits import DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from shared.observability import metrics
from shared.observability.health import Health

log = logging.getLogger(__name__)
INPUTS = (JOB_CONTROL.name, AUDIO_EMBEDDINGS.name, VIDEO_EMBEDDINGS.name)
PORTS = KafkaPorts  # a test puts others here, that die between two steps
CHANGELOG_TOPIC = f"{ID}-join-changelog"
DECLARE_S = 120.0
TICK_S = 1.0
STOP_S = 10.0


async def serve(
    settings: FusionSettings, bootstrap_servers: str, judge: Judge, health: Health, stop: asyncio.Event
) -> None:
    """Until `stop`, then ends what is in work and commits. Raises whatever made going on unsafe."""
    health.set_ready("kafka", False)
    partitions = await declare(bootstrap_servers, INPUTS, CHANGELOG_TOPIC, DECLARE_S)
    app = make_app(settings, bootstrap_servers)
    runner = _wire(app, settings, judge, partitions)
    await app.start()
    work = asyncio.create_task(runner.run(), name="work")
    tick = asyncio.create_task(_tick(app, runner, health), name="tick")
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        done, _ = await asyncio.wait((work, tick, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        health.set_ready("kafka", False)
        tick.cancel()
        stopped.cancel()
        await runner.finish()
        work.cancel()
        await _stop(app)


async def _stop(app: App) -> None:
    try:
        async with asyncio.timeout(STOP_S):
            await app.stop()
    except TimeoutError:
        log.exception("Faust does not stop, as when the broker is away; the process ends without it")
        logging.shutdown()
        os._exit(1)  # its threads would keep the process; what was not acknowledged comes again


def _wire(app: App, settings: FusionSettings, judge: Judge, partitions: int) -> Runner:
    table = open_table(app, partitions)
    ports = PORTS(app, table, settings.fusion_ack_timeout_s)
    fusion = Fusion(ports, judge, DeadLetterRatio(LoopSettings()))
    housekeeping = Housekeeping(ports, lambda: ports.store, fusion, settings.tombstone_ttl_s)
    runner = Runner(app, fusion, housekeeping, settings.fusion_batch)

    # One agent on all three topics: partition p of each, and of the changelog, lands in one process.
    @app.agent(app.topic(*INPUTS, key_type=bytes, value_type=bytes), name="join", concurrency=1)
    async def take(stream: Any) -> AsyncIterator[None]:
        async for event in stream.noack().events():
            await runner.take(event)
            yield None

    async def revoked(*args: Any, **kwargs: Any) -> None:
        await runner.pause()

    app.on_partitions_revoked.connect(revoked)
    table.on_recover(runner.resume)
    return runner


async def _tick(app: App, runner: Runner, health: Health) -> None:
    while True:
        health.tick()
        health.set_ready("kafka", runner.ready)
        if app.crashed:
            raise app.crash_reason or RuntimeError("Faust stopped")
        _lag(app)
        await asyncio.sleep(TICK_S)


def _lag(app: App) -> None:
    """Read or committed positions against the ends, as far as Faust knows them."""
    lag = dict.fromkeys(INPUTS, 0)
    partitions = dict.fromkeys(INPUTS, 0)
    for tp in app.assignor.assigned_actives():
        if tp.topic in lag:
            partitions[tp.topic] += 1
            end, read = app.monitor.tp_end_offsets.get(tp), app.monitor.tp_read_offsets.get(tp)
            if end is not None:
                lag[tp.topic] += max(0, end - (read + 1 if read is not None else 0))
    for topic in INPUTS:
        metrics.LAG.labels(topic).set(lag[topic])
        metrics.PARTITIONS.labels(topic).set(partitions[topic])
