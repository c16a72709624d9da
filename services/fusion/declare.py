"""What must exist before Faust starts: the input topics, with one partition count, and the changelog.

Faust's assignor leaves out a topic that is missing and keeps together only topics of equal
partition counts, in silence; so both are checked here, aloud.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import (  # type: ignore[import-untyped]  # aiokafka ships no types
    AIOKafkaAdminClient,
    NewTopic,
)
from aiokafka.errors import (  # type: ignore[import-untyped]  # likewise
    KafkaConnectionError,
    TopicAlreadyExistsError,
    for_code,
)

from services.fusion.store import CHANGELOG
from shared.contracts.outcomes import Transient

INTERVAL_S = 0.5


class PartitionsDiffer(Exception):
    """Topics that are joined have different numbers of partitions; no join is possible."""


async def declare(bootstrap_servers: str, inputs: Sequence[str], changelog: str, timeout_s: float) -> int:
    """The partition count. Waits for broker and input topics; the changelog is made like them.

    Raises `Transient` after `timeout_s`, and `PartitionsDiffer`.
    """
    try:
        async with asyncio.timeout(timeout_s):
            admin = await _connect(bootstrap_servers)
            try:
                return await _declare(admin, inputs, changelog)
            finally:
                await admin.close()
    except TimeoutError as error:
        raise Transient(f"no broker, or not all of {', '.join(inputs)}, within {timeout_s} s") from error


async def _connect(bootstrap_servers: str) -> AIOKafkaAdminClient:
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="fusion-admin")
        try:
            await admin.start()
            return admin
        except KafkaConnectionError:
            await admin.close()
            await asyncio.sleep(INTERVAL_S)


async def _declare(admin: AIOKafkaAdminClient, inputs: Sequence[str], changelog: str) -> int:
    found = await _wait_for(admin, inputs)
    counts = {name: len(partitions) for name, partitions in found.items()}
    if len(set(counts.values())) != 1:
        raise PartitionsDiffer(f"{counts}")
    first = found[inputs[0]]
    config = CHANGELOG | {"cleanup.policy": "compact"}
    new = NewTopic(changelog, len(first), len(first[0]["replicas"]), topic_configs=config)
    for _, code, *detail in (await admin.create_topics([new])).topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"{changelog}: {detail}")
    mine = len((await _wait_for(admin, [changelog]))[changelog])
    if mine != len(first):
        raise PartitionsDiffer(f"{changelog} has {mine}, its inputs {len(first)}")
    return mine


async def _wait_for(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, list[Any]]:
    """Topic to its partitions' descriptions."""
    while True:
        described = await admin.describe_topics(list(topics))
        found = {t["topic"]: t["partitions"] for t in described if not t["error_code"]}
        if all(found.get(topic) for topic in topics):
            return found
        await asyncio.sleep(INTERVAL_S)
