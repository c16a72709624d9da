import configparser
import json
import os
import stat
from pathlib import Path

import pytest

from deploy.local import kafka, minio, programs
from deploy.local.layout import DEFAULT_BASE, Layout, secret_key
from deploy.local.stack import StackFailed, up
from deploy.local.supervise import MARK, NotRunning, Supervisor, configuration, leftovers

PINS = {"VERACITY_DEVICE": "cpu", "VERACITY_DTYPE": "float32", "VERACITY_THREADS": "1"}


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("KAFKA_", "S3_", "VERACITY_")):
            monkeypatch.delenv(name)


def test_two_stacks_share_no_port_and_no_file(tmp_path: Path) -> None:
    one, two = Layout(tmp_path / "a", 17000), Layout(tmp_path / "b", 18000)
    ports = [{p.port for p in [*programs.servers(x), *programs.services(x, PINS)]} for x in (one, two)]
    assert ports[0].isdisjoint(ports[1])
    assert one.socket != two.socket
    assert len(ports[0]) == 7


def test_given_servers_are_used_and_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
    monkeypatch.setenv("S3_ENDPOINT", "https://store.example")
    monkeypatch.setenv("S3_ACCESS_KEY", "me")
    monkeypatch.setenv("S3_SECRET_KEY", "secret")
    layout = Layout(tmp_path, 17000)
    assert programs.servers(layout) == []
    found = programs.connections(layout)
    assert (found["KAFKA_BOOTSTRAP_SERVERS"], found["S3_ENDPOINT"]) == ("broker:9092", "https://store.example")
    assert (found["S3_ACCESS_KEY"], found["S3_SECRET_KEY"]) == ("me", "secret")


def test_given_store_without_its_keys_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT", "https://store.example")
    with pytest.raises(StackFailed, match="S3_ACCESS_KEY"):
        up(Layout(tmp_path, 17000), print)


def test_ports_of_the_last_up_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERACITY_STATE_ROOT", str(tmp_path))
    assert Layout.from_environment().base == DEFAULT_BASE
    Layout(tmp_path, 18000).remember()
    assert Layout.from_environment().base == 18000
    monkeypatch.setenv("VERACITY_PORT_BASE", "19000")
    assert Layout.from_environment().base == 19000


def test_socket_of_a_deep_folder_is_short_and_its_own(tmp_path: Path) -> None:
    deep, deeper = (Layout(tmp_path / ("d" * n), 17000) for n in (120, 121))
    assert max(len(os.fsencode(x.socket)) for x in (deep, deeper)) <= 107
    assert deep.socket != deeper.socket


def test_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = secret_key(tmp_path)
    assert secret_key(tmp_path) == first
    assert len(first) >= 24
    assert stat.S_IMODE((tmp_path / "s3-secret-key").stat().st_mode) == 0o600


def test_configuration_restarts_all_and_marks_all(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "100%", 17000)
    every = [*programs.servers(layout), *programs.services(layout, PINS)]
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(layout, every))
    assert {f"program:{p.name}" for p in every} <= set(parser.sections())
    for program in every:
        section = parser[f"program:{program.name}"]
        assert section["autorestart"] == "true"
        assert f'{MARK}="{tmp_path}/100%%"' in section["environment"]
    assert 'VERACITY_METRICS_PORT="17003"' in parser["program:fusion"]["environment"]
    assert 'VERACITY_HTTP_PORT="17000"' in parser["program:ingest"]["environment"]


def test_runtime_is_chosen_once_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pins.json").write_text(json.dumps(PINS))
    assert programs.pinned(tmp_path) == PINS
    monkeypatch.setenv("VERACITY_THREADS", "2")
    assert programs.pinned(tmp_path)["VERACITY_THREADS"] == "2"
    monkeypatch.delenv("VERACITY_THREADS")
    assert programs.pinned(tmp_path)["VERACITY_THREADS"] == "2"


def test_stack_that_is_down_says_so(tmp_path: Path) -> None:
    supervisor = Supervisor(Layout(tmp_path, 17000))
    assert not supervisor.running()
    with pytest.raises(NotRunning):
        supervisor.processes()
    assert leftovers(Layout(tmp_path, 17000)) == []


def test_broker_listens_on_this_machine_only_and_notices_kills_soon(tmp_path: Path) -> None:
    settings = kafka.properties(tmp_path, 17010, 17011)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:17010,CONTROLLER://127.0.0.1:17011"
    assert settings["auto.create.topics.enable"] == "false"
    assert int(settings["group.consumer.session.timeout.ms"]) <= 10_000
    assert int(settings["message.max.bytes"]) > 8 * 1024 * 1024


def test_store_keeps_events_while_kafka_is_away(tmp_path: Path) -> None:
    settings = minio.environment(minio.Credentials(), "127.0.0.1:17010", tmp_path)
    assert settings[f"MINIO_NOTIFY_KAFKA_QUEUE_DIR_{minio.NOTIFY_ID}"] == str(tmp_path)
    assert settings[f"MINIO_NOTIFY_KAFKA_TOPIC_{minio.NOTIFY_ID}"] == "inbox-notifications-v1"
    assert not any("NOTIFY" in name for name in minio.environment(minio.Credentials(), None, tmp_path))


def test_credentials_do_not_show_in_text() -> None:
    assert minio.Credentials(secret_key="hush").secret_key not in repr(minio.Credentials(secret_key="hush"))  # noqa: S106
