"""What every `__main__` needs: a stop event that SIGTERM and SIGINT set."""

import signal
import threading
from types import FrameType


def stop_on_signals() -> threading.Event:
    """Call in the main thread. A second signal kills at once, as without this."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop
