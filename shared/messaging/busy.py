"""Counts, by partition, the records being handled or waiting for acknowledgements."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from shared.messaging.lease import Lease


class Busy:
    """Thread-safe."""

    def __init__(self) -> None:
        self._count: Counter[Lease] = Counter()
        self._changed = threading.Condition()

    def enter(self, leases: Iterable[Lease]) -> None:
        with self._changed:
            self._count.update(leases)

    def leave(self, lease: Lease) -> None:
        with self._changed:
            self._count[lease] -= 1
            if not self._count[lease]:
                del self._count[lease]
            self._changed.notify_all()

    def total(self) -> int:
        with self._changed:
            return self._count.total()

    def wait_idle(self, leases: Collection[Lease], timeout_s: float) -> bool:
        """True once nothing of these partitions is being handled, False at the timeout."""
        return self.wait_until(lambda: not any(self._count[le] for le in leases), timeout_s)

    def wait_until(self, true: Callable[[], bool], timeout_s: float) -> bool:
        """Looks again whenever a record leaves; False at the timeout."""
        with self._changed:
            return self._changed.wait_for(true, timeout_s)
