"""Peak memory of each service while it works: its own and that of its sandboxed children."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import psutil

MIB = 2**20


class PeakMemory:
    """Samples the processes of `pids()` every 0.2 s. `peak_mib`: name to resident MiB of the process plus
    what its children hold alone (shared pages counted once). A context manager."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak_mib: dict[str, float] = defaultdict(float)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pids = dict(self._pids())
        while not self._stop.wait(0.2):
            for name, pid in pids.items():
                self.peak_mib[name] = max(self.peak_mib[name], _tree_mib(pid))


def _tree_mib(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        own = process.memory_info().rss
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return 0.0
    for child in children:
        try:
            own += child.memory_full_info().uss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return own / MIB
