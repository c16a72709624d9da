"""A group member whose client got stuck goes on with a new one."""

import time
from collections.abc import Iterator

import pytest

from shared.contracts.records import Outgoing
from shared.messaging.admin import create_topics
from shared.messaging.group import Group
from shared.messaging.lease import Lease
from shared.messaging.producer import Producer
from shared.messaging.settings import KafkaSettings
from shared.messaging.vital_signs import VitalSigns

pytestmark = pytest.mark.kafka
TOPIC = "jobs-v1"


class Played(VitalSigns):
    """Stuck when the test says so; counts what the client says."""

    def __init__(self) -> None:
        super().__init__(3600)
        self.stopped, self.documents, self.healthy = False, 0, 0

    def read(self, statistics: str) -> None:
        before, self._well_at = self._well_at, -1.0
        super().read(statistics)
        self.documents += 1
        self.healthy += self._well_at != -1.0
        self._well_at = max(before, self._well_at)

    def reset(self) -> None:
        self.stopped = False

    @property
    def stuck(self) -> bool:
        return self.stopped


@pytest.fixture
def producer(kafka_bootstrap: str) -> Iterator[Producer]:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    create_topics(settings, partitions=4, replication=1)
    made = Producer(settings, "test")
    yield made
    made.close()


def take(group: Group, wanted: set[bytes], within_s: float = 60) -> None:
    """Polls, finishes and commits until all of `wanted` came and are committed."""
    left, deadline = set(wanted), time.monotonic() + within_s
    while left or not group.committed:
        assert time.monotonic() < deadline, f"{len(left)} records did not come"
        if found := group.poll(0.1):
            lease, record = found
            lease.take(record.offset)
            lease.finish(record.offset)
            left.discard(record.value or b"")
        group.commit()


def test_a_stuck_client_is_replaced_and_what_it_held_is_lost_not_revoked(
    producer: Producer, kafka_bootstrap: str
) -> None:
    signs, gone = Played(), list[tuple[int, bool]]()

    def revoking(leases: list[Lease], lost: bool) -> None:
        gone.append((len(leases), lost))

    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    group = Group(settings, f"stuck-{time.time_ns()}", [TOPIC], lambda places: None, revoking, signs)
    for number in range(3):
        values = {f"{number}-{i}-{time.time_ns()}".encode() for i in range(20)}
        producer.send_and_wait([Outgoing(TOPIC, value, value) for value in values], 30)
        take(group, values)
        held = len(group.leases)
        signs.stopped = True
        group.poll(0)
        assert gone == [(held, True)] * (number + 1) and not group.leases
    group.close()


def test_a_member_that_is_idle_or_paused_is_well(producer: Producer, kafka_bootstrap: str) -> None:
    signs = Played()
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    group = Group(settings, f"idle-{time.time_ns()}", [TOPIC], lambda p: None, lambda le, lost: None, signs)
    deadline = time.monotonic() + 60
    while not group.leases:
        assert time.monotonic() < deadline
        group.poll(0.1)
    signs.documents = signs.healthy = 0
    while signs.documents < 3:
        assert time.monotonic() < deadline
        group.hold(group.leases.keys() if signs.documents else [])
        group.poll(0.1)
    assert signs.healthy >= signs.documents - 1, "the first may still tell of the beginning"
    group.close()
