"""The command starts fast: a command imports what it needs, when it runs."""

import subprocess
import sys

HEAVY = {"httpx", "pydantic", "numpy", "confluent_kafka", "torch", "av", "minio", "faust"}


def imported_by(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)  # noqa: S603
    return set(done.stdout.decode().split())


def test_help_imports_nothing_heavy() -> None:
    assert not imported_by("import client.cli") & HEAVY


def test_http_commands_import_no_kafka_and_no_models() -> None:
    code = "import client.cli, client.service, client.following, client.bars, client.show"
    assert not imported_by(code) & (HEAVY - {"httpx", "pydantic"})
