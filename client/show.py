"""A job for people."""

from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from client.failure import printable
from shared.contracts.errors import ERRORS
from shared.contracts.job_view import JobView, ResultsView

_COLOURS = {"fake": "red", "real": "green", "inconclusive": "yellow"}
_BARS = "▁▂▃▄▅▆▇█"
Absolute = Callable[[str], str]


def show(job: JobView, absolute: Absolute) -> None:
    """Print `job` on stdout; `absolute` makes a URL of one of its paths."""
    console = Console(highlight=False)
    console.print(_headline(job), soft_wrap=True)
    if job.error is not None:
        console.print(Text(f"{job.error.code}: {printable(job.error.message)}", "red"), soft_wrap=True)
    if job.results is None:
        return
    results = job.results
    colour = _COLOURS[results.verdict]
    console.print(Panel(Group(*_findings(results)), title=results.verdict.upper(), border_style=colour))
    for line in _links(results, absolute):
        console.print(Text(line), soft_wrap=True)


def timestamp(seconds: float) -> str:
    """`75.5` -> `1:15.5`."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _headline(job: JobView) -> Text:
    media = job.media or {}
    parts = [f"job {job.job_id}", job.status]
    if duration := media.get("duration_s"):
        parts.append(f"{duration:.1f} s")
    if media.get("width"):
        parts.append(f"{media['width']} x {media['height']}")
    total = job.progress.segments_total
    if job.status in {"pending", "running"} and total is not None:
        parts.append(f"{job.progress.segments_done} of {total} segments")
    return Text(" · ".join(parts), "bold")


def _findings(results: ResultsView) -> Iterator[RenderableType]:
    yield Text(_score(results.p_fake, results.interval), "bold")
    if results.reason:
        yield Text(printable(results.reason))
    yield Text()
    facts = Table.grid(padding=(0, 2))
    for name, modality in sorted(results.modalities.items()):
        facts.add_row(name, _percent(modality.p_fake), f"{modality.windows_used} windows used")
    if results.agreement is not None:
        facts.add_row("agreement", _percent(results.agreement), "of picture and sound")
    for item in results.degraded:
        meaning = ERRORS[item.reason].sentence if item.reason in ERRORS else ""
        where = f" ({item.windows} windows)" if item.windows else ""
        facts.add_row("degraded", item.modality, printable(f"{item.reason}{where}: {meaning}"))
    measured = "measured" if results.bundle.measured else "no measured skill: its scores decide nothing"
    facts.add_row("bundle", printable(results.bundle.name), measured)
    yield facts
    if any(window.p_fake is not None for window in results.windows):
        yield Text()
        yield Text(_curve([window.p_fake for window in results.windows]), overflow="fold")
        yield Text("p_fake of each second; higher is more fake", "dim")


def _links(results: ResultsView, absolute: Absolute) -> Iterator[str]:
    if results.anomalous_frames:
        yield "most anomalous frames:"
    for frame in results.anomalous_frames:
        place = f"  {timestamp(frame.timestamp):>7}  {_percent(frame.confidence)}"
        yield f"{place}  {absolute(frame.overlay_url)}"
    for sound in results.audio_anomalies:
        span = f"{timestamp(sound.start_s)} to {timestamp(sound.end_s)}"
        yield f"  sound {span}  {_percent(sound.confidence)}"
    for artifact in results.artifacts:
        if artifact.name in {"report.json", "timeline.png"}:
            yield f"{artifact.name}: {absolute(artifact.url)}"
    if results.explanation == "failed":
        yield ERRORS["artifacts_failed"].sentence


def _score(p_fake: float | None, interval: tuple[float, float] | None) -> str:
    if p_fake is None:
        return "no score"
    span = f" (interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else ""
    return f"p_fake {p_fake:.2f}{span}"


def _percent(value: float | None) -> str:
    return "   -" if value is None else f"{value:4.0%}"


def _curve(values: Sequence[float | None]) -> str:
    return "".join("·" if v is None else _BARS[min(7, max(0, int(v * 8)))] for v in values)
