"""A job's scored windows to its verdict: pure, no clock, the same bytes whatever order records came in."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.fusion.entries import Part, ScoredWindow
from services.fusion.judge import Conclusion, Judge
from services.fusion.scoring import DECIMALS
from shared.contracts.base import Degradation, ErrorBody, Modality
from shared.contracts.errors import ERRORS
from shared.contracts.jobs import Planned
from shared.contracts.results import (
    BundleRef,
    Evidence,
    ModalityResult,
    Probability,
    Series,
    Verdict,
)
from shared.models.windows import agreement

Windows = Sequence[ScoredWindow | None]  # by index; None: no record came


def unplanned(job_id: str) -> Verdict:
    """The deadline passed before there was a plan."""
    return _failed(job_id, "deadline_passed", BundleRef(name="", digest=""))


def build(job_id: str, plan: Planned, windows: Windows, judge: Judge) -> Verdict:
    """`windows` has `plan.windows` items."""
    series = _series(windows)
    usable = tuple(m for m in plan.modalities if any(_used(w, m) for w in windows))
    duration_s = plan.media.duration_s
    conclusion = judge.conclude(plan.bundle_digest, series, duration_s, usable)
    if conclusion is None:
        unknown = BundleRef(name="", digest=plan.bundle_digest)
        return _failed(job_id, "bundle_unavailable", unknown).model_copy(update=_of_plan(plan))
    facts = _of_plan(plan) | {"series": series, "degraded": _degraded(plan, windows)}
    facts["runtime"] = _runtime(plan, windows, conclusion)
    if conclusion.p_fake is None:
        failed = _failed(job_id, _why_nothing(plan, windows), conclusion.bundle)
        return failed.model_copy(update=facts)
    return Verdict(
        job_id=job_id, outcome="analysed", verdict=conclusion.verdict, reason=conclusion.reason,
        p_fake=_round(conclusion.p_fake), interval=_interval(conclusion),
        modalities=_modalities(plan, windows, conclusion), agreement=_agreement(conclusion),
        evidence=_evidence(plan, windows), bundle=conclusion.bundle,
    ).model_copy(update=facts)


def _of_plan(plan: Planned) -> dict[str, Any]:
    return {
        "windows": plan.windows, "media": plan.media, "media_uri": plan.media_uri, "top_k": _top_k(plan),
    }


def _top_k(plan: Planned) -> int:
    return plan.options.top_k if plan.options.explain else 0


def _failed(job_id: str, code: str, bundle: BundleRef) -> Verdict:
    sentence = ERRORS[code].sentence
    error = ErrorBody(code=code, message=sentence)
    return Verdict(job_id=job_id, outcome="failed", reason=sentence, bundle=bundle, error=error)


def _why_nothing(plan: Planned, windows: Windows) -> str:
    """The most frequent failure; else what the clip lacks. Missing records mean that time ran out."""
    parts = [_part(w, m) for w in windows for m in plan.modalities]
    if any(p.status == "missing" for p in parts):
        return "deadline_passed"
    failures = Counter(p.reason for p in parts if p.status == "failed")
    code = min(failures, key=lambda c: (-failures[c], c)) if failures else "nothing_to_analyse"
    return code if code in ERRORS else "decode_failed"


def _series(windows: Windows) -> Series:
    found = [w or ScoredWindow(window=i) for i, w in enumerate(windows)]
    return Series(
        p_fake=tuple(w.p_fake for w in found),
        low=tuple(w.interval[0] if w.interval else w.p_fake for w in found),
        high=tuple(w.interval[1] if w.interval else w.p_fake for w in found),
        video=tuple(w.video for w in found), audio=tuple(w.audio for w in found),
        speech=tuple(w.speech for w in found), face=tuple(w.faces for w in found),
    )


def _part(window: ScoredWindow | None, modality: Modality) -> Part:
    missing = Part(modality=modality, status="missing", reason="missing")
    return next((p for p in window.parts if p.modality == modality), missing) if window else missing


def _used(window: ScoredWindow | None, modality: Modality) -> bool:
    return window is not None and (window.video if modality == "video" else window.audio) is not None


def _degraded(plan: Planned, windows: Windows) -> tuple[Degradation, ...]:
    """The plan's, then for each modality what failed or never came, then what its whole stream lacks."""
    found = list(plan.degraded)
    for modality in plan.modalities:
        parts = [_part(w, modality) for w in windows]
        reasons = Counter(p.reason for p in parts if p.status in ("failed", "missing"))
        if not any(_used(w, modality) for w in windows):
            reasons += Counter(p.reason for p in parts if p.status == "absent")
        found += [Degradation(modality=modality, reason=r, windows=n) for r, n in sorted(reasons.items())]
    return tuple(found)


def _runtime(plan: Planned, windows: Windows, conclusion: Conclusion) -> dict[str, str]:
    runtimes = {"fusion": conclusion.runtime}
    for modality in plan.modalities:
        seen = {_part(w, modality).runtime for w in windows} - {""}
        if seen:
            runtimes[modality] = ", ".join(sorted(seen))
    return dict(sorted(runtimes.items()))


def _modalities(plan: Planned, windows: Windows, conclusion: Conclusion) -> dict[Modality, ModalityResult]:
    return {
        modality: ModalityResult(
            p_fake=_round(conclusion.modalities.get(modality)),
            windows_used=sum(_used(w, modality) for w in windows),
            weight=conclusion.weights.get(modality),
        )
        for modality in sorted(plan.modalities)
    }


def _agreement(conclusion: Conclusion) -> Probability:
    video, audio = conclusion.modalities.get("video"), conclusion.modalities.get("audio")
    return None if video is None or audio is None else _round(agreement(video, audio))


def _interval(conclusion: Conclusion) -> tuple[float, float] | None:
    interval = conclusion.interval
    return None if interval is None else (round(interval[0], DECIMALS), round(interval[1], DECIMALS))


def _evidence(plan: Planned, windows: Windows) -> tuple[Evidence, ...]:
    """The highest windows with a face to show; where no window has one, the highest by sound alone."""
    scored = [w for w in windows if w is not None and w.p_fake is not None]
    shown = [w for w in scored if w.transforms] or scored
    top = sorted(shown, key=lambda w: (-(w.p_fake or 0.0), w.window))[: _top_k(plan)]
    return tuple(
        Evidence(window_index=w.window, p_fake=w.p_fake or 0.0, face=w.face, transforms=w.transforms)
        for w in top
    )


def _round(value: Probability) -> Probability:
    return None if value is None else round(value, DECIMALS)
