"""Answering time of a submission at a steady rate that does not wait for answers (an open loop)."""

import asyncio
import time

import httpx
import numpy as np

from tests.bench.load import ANALYZE

RATE_PER_S, SECONDS, SIZE = 20, 20, 500_000


def submit_percentiles_ms(url: str, clip: bytes) -> dict[str, float]:
    """50th, 99th percentile and maximum of the milliseconds from the planned moment to the answer.

    Files are `SIZE` bytes, all different: the clip and an MP4 box of free space.
    """
    times = np.asarray(asyncio.run(_run(url, clip)))
    return {"p50": float(np.percentile(times, 50)), "p99": float(np.percentile(times, 99)),
            "max": float(times.max())}


async def _run(url: str, clip: bytes) -> list[float]:
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        await asyncio.gather(*(_post(client, _padded(clip, -i)) for i in range(1, 11)))  # open connections
        began = time.monotonic() + 0.5
        planned = [began + i / RATE_PER_S for i in range(RATE_PER_S * SECONDS)]
        return list(await asyncio.gather(*(
            _timed(client, _padded(clip, i), moment) for i, moment in enumerate(planned)
        )))


async def _timed(client: httpx.AsyncClient, data: bytes, moment: float) -> float:
    await asyncio.sleep(moment - time.monotonic())
    await _post(client, data)
    return (time.monotonic() - moment) * 1000


async def _post(client: httpx.AsyncClient, data: bytes) -> None:
    answer = await client.post(ANALYZE, files={"file": ("clip.mp4", data, "video/mp4")})
    answer.raise_for_status()


def _padded(clip: bytes, number: int) -> bytes:
    size = SIZE - len(clip)
    box = size.to_bytes(4, "big") + b"free" + number.to_bytes(8, "big", signed=True)
    return clip + box + bytes(size - len(box))
