"""doctor: is the service there, is it ready, and what to do if not."""

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer

from client.failure import Exit, Failure, print_json, printable, reporting
from client.options import Json, Url

if TYPE_CHECKING:
    from client.service import Service

app = typer.Typer()
Finding = dict[str, object]  # check, ok, found, advice


@app.command()
def doctor(url: Url, as_json: Json = False) -> None:
    """Check that the service can be reached and is ready, and say what to do next."""
    with reporting(as_json):
        from client.service import connect

        with connect(url) as service:
            findings = examine(service)
        healthy = all(finding["ok"] for finding in findings)
        if as_json:
            print_json({"url": url, "client": version("veracity"), "ok": healthy, "checks": findings})
        else:
            typer.echo(f"client {version('veracity')}, service {url}")
            for finding in findings:
                _print(finding)
            typer.echo("next: veracity submit FILE --wait" if healthy else "not ready")
        if not healthy:
            raise typer.Exit(Exit.UNREACHABLE)


def examine(service: "Service") -> list[Finding]:
    """The checks in order; the first one that says the service is away is the last."""
    start = "start it (make up), or name it with --url or VERACITY_URL"
    alive = _ask(service, "reachable", "/healthz", start)
    if not alive["ok"]:
        return [alive]
    ready = _ask(service, "ready", "/readyz", "wait some seconds; if it stays so, see the logs (make logs)")
    return [alive, ready, _api_version(service)]


def _ask(service: "Service", check: str, path: str, advice: str) -> Finding:
    try:
        status, text = service.probe(path)
    except Failure as failure:
        return {"check": check, "ok": False, "found": failure.message, "advice": advice}
    ok = status == 200
    return {"check": check, "ok": ok, "found": f"HTTP {status} {text[:500]}", "advice": "" if ok else advice}


def _api_version(service: "Service") -> Finding:
    try:
        info = json.loads(service.probe("/openapi.json")[1])["info"]
        title, number = str(info["title"]), str(info["version"])
    except (Failure, ValueError, KeyError, TypeError):
        title, number = "unknown", "unknown"
    ok = title == "Veracity" and number.split(".")[0] == "1"
    advice = "" if ok else "another program answers at this URL, or another version: check --url"
    return {"check": "api version", "ok": ok, "found": f"{title} {number}", "advice": advice}


def _print(finding: Finding) -> None:
    mark, colour = ("ok", "green") if finding["ok"] else ("no", "red")
    typer.secho(f"  {mark}  {finding['check']}: {printable(str(finding['found']))}", fg=colour)
    if finding["advice"]:
        typer.echo(f"      {finding['advice']}")
