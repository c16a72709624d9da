"""Traces, liveness, readiness and what the operations server says about them."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from shared.observability.health import Health, OpsServer, serve
from shared.observability.runner import stop_on_signals
from shared.observability.tracing import child_of, new_traceparent, trace_id

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[OpsServer]:
    made = serve(health, 0, "127.0.0.1")
    yield made
    made.close()


def get(server: OpsServer, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_child_stays_in_its_trace() -> None:
    child = child_of(PARENT)
    assert trace_id(child) == trace_id(PARENT) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert child != PARENT


NO_TRACE = f"00-{'0' * 32}-00f067aa0ba902b7-01"


@pytest.mark.parametrize("broken", [None, "", "nonsense", NO_TRACE, PARENT + "x"])
def test_a_child_of_nothing_starts_a_trace(broken: str | None) -> None:
    assert trace_id(broken) == ""
    assert len(trace_id(child_of(broken))) == 32


def test_traces_differ() -> None:
    assert new_traceparent() != new_traceparent()


def test_alive_while_every_loop_ticks() -> None:
    clock = Clock()
    health = Health(max_age_s=10, clock=clock)
    assert health.live() == (True, [])
    health.tick("a")
    health.tick("b")
    clock.now = 8
    health.tick("a")
    clock.now = 11
    assert health.live() == (False, ["b has not ticked for 11 s"])
    health.done("b")
    assert health.live() == (True, [])


def test_ready_when_every_part_is(health: Health) -> None:
    assert health.ready() == (False, ["starting"])
    health.set_ready("model", False)
    health.set_ready("loop", True)
    assert health.ready() == (False, ["model is not ready"])
    health.set_ready("model", True)
    assert health.ready() == (True, [])
    health.done("loop")
    assert not health.ready()[0]


def test_the_server_answers_probes(health: Health, server: OpsServer) -> None:
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)) == (503, {"status": "unavailable", "reasons": ["starting"]})
    health.set_ready("loop", True)
    assert get(server, "/readyz?x=1")[0] == 200
    assert get(server, "/healthz")[0] == 200
    assert get(server, "/other")[0] == 404


def test_the_server_gives_metrics(server: OpsServer) -> None:
    status, body = get(server, "/metrics")
    assert status == 200
    assert b"veracity_records_in_total" in body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_a_second_one_kills(number: signal.Signals) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop = stop_on_signals()
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(10)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
