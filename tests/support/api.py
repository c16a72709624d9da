"""An ASGI application on a real port of this machine, for as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from deploy.local.ports import free_ports


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The URL it answers at."""
    port = free_ports(1)[0]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=2)
    server, started = uvicorn.Server(config), threading.Event()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        for _ in range(1000):
            if server.started or not thread.is_alive():
                break
            started.wait(0.01)
        assert server.started, "the application did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
