"""A verdict to its explanation. Whatever goes wrong, the verdict stands and the job ends by name."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from services.explain import timeline
from services.explain.evidence import SpeechMask, see
from services.explain.frames import Looked, draw_top_frames
from services.explain.gradcam import attribute
from services.explain.report import write_report
from services.explain.sounds import anomalies, draw_sounds, name_of
from shared.contracts.base import ErrorBody
from shared.contracts.errors import ERRORS
from shared.contracts.jobs import MediaInfo
from shared.contracts.outcomes import BadMedia, InvalidRecord, Transient
from shared.contracts.results import Artifact, Explained, Verdict
from shared.media.limits import Limits
from shared.media.sources import ByteSource
from shared.messaging.handlers import Task
from shared.models.bundle import BundlePool
from shared.models.detector import Detector
from shared.observability import metrics
from shared.storage import ObjectStore
from shared.storage.keys import artifact_key

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explainer:
    """`open_media(uri, size)` gives the bytes; `saliency_windows`: how many windows' sound is drawn."""

    store: ObjectStore
    bundles: BundlePool
    open_media: Callable[[str, int], ByteSource]
    speech_mask: SpeechMask
    limits: Limits
    saliency_windows: int = 3

    def handle(self, task: Task) -> Iterator[Explained]:
        """Nothing for a failed verdict, nor where the submitter wanted no explanation.

        Raises `Transient`, and `InvalidRecord` for what is no verdict."""
        verdict = task.message
        if not isinstance(verdict, Verdict):
            raise InvalidRecord("unexpected_type", f"{type(verdict).__name__} is no verdict")
        if verdict.outcome == "failed" or verdict.top_k == 0:
            return
        with metrics.EXPLAIN_SECONDS.time():
            explained = self._explain(verdict)
        metrics.EXPLANATIONS.labels(explained.status).inc()
        yield explained

    def _explain(self, verdict: Verdict) -> Explained:
        """Timeline and report need no media: they are there even where the frames cannot be shown."""
        looked, code = self._try_to_look(verdict)
        if code == "media_missing":  # a deleted job: leave nothing behind
            return _failed(verdict.job_id)
        try:
            drawn = self._draw(verdict, looked)
        except Transient:
            raise
        except Exception:  # the verdict stands; a picture that fails must not hold up the job
            log.exception("no explanation")
            return _failed(verdict.job_id)
        return drawn if code is None else drawn.model_copy(update={"status": "failed", "error": _error(code)})

    def _try_to_look(self, verdict: Verdict) -> tuple[list[Looked], str | None]:
        """What was seen, and the code of what prevented seeing it all."""
        if verdict.media is None:
            return [], None
        try:
            detector = self.bundles.get(verdict.bundle.digest).detector
            return self._look(verdict, verdict.media, detector), None
        except Transient:
            raise
        except InvalidRecord as error:
            log.warning("no pictures: %s", error)
            return [], "bundle_unavailable" if error.reason == "wrong_bundle" else "artifacts_failed"
        except BadMedia as error:
            log.warning("no pictures: %s", error)
            return [], "media_missing" if error.code == "media_missing" else "artifacts_failed"
        except Exception:
            log.exception("no pictures")
            return [], "artifacts_failed"

    def _draw(self, verdict: Verdict, looked: list[Looked]) -> Explained:
        pictures = [] if verdict.media is None else draw_top_frames(looked, verdict.media, verdict.top_k)
        sounds = draw_sounds(looked)
        files = {name: data for picture in pictures for name, data in picture.files.items()}
        files |= {name_of(window): data for window, data in sounds.items()}
        files["timeline.png"] = timeline.draw(verdict)
        artifacts = [self._put(verdict.job_id, name, files[name], "image/png") for name in sorted(files)]
        duration_s = verdict.media.duration_s if verdict.media else float(verdict.windows)
        frames = tuple(picture.frame for picture in pictures)
        stretches = anomalies(verdict.series.audio, duration_s, sounds)
        report = write_report(verdict, frames, stretches, artifacts)
        artifacts.append(self._put(verdict.job_id, "report.json", report, "application/json"))
        return Explained(
            job_id=verdict.job_id, status="ok", artifacts=tuple(artifacts), anomalous_frames=frames,
            audio_anomalies=stretches,
        )

    def _look(self, verdict: Verdict, info: MediaInfo, detector: Detector) -> list[Looked]:
        """Each evidence window once more, through the whole model."""
        source = self.open_media(verdict.media_uri, info.size)
        heard = self._most_suspect_sounds(verdict)
        looked = []
        for evidence in verdict.evidence:
            seen = see(source, info, evidence, self.limits, self.speech_mask)
            with_sound = evidence.window_index in heard
            found = attribute(detector, seen.crops, seen.samples, seen.speech, with_sound=with_sound)
            looked.append((seen, found))
        return looked

    def _most_suspect_sounds(self, verdict: Verdict) -> set[int]:
        """Of the evidence windows, those whose sound alone scored highest."""
        scores = verdict.series.audio
        windows = [e.window_index for e in verdict.evidence if scores[e.window_index] is not None]
        windows.sort(key=lambda window: (-(scores[window] or 0.0), window))
        return set(windows[: self.saliency_windows])

    def _put(self, job_id: str, name: str, data: bytes, media_type: str) -> Artifact:
        self.store.put(artifact_key(job_id, name), data, media_type)
        return Artifact(name=name, sha256=sha256(data).hexdigest(), size=len(data), media_type=media_type)


def _error(code: str) -> ErrorBody:
    return ErrorBody(code=code, message=ERRORS[code].sentence)


def _failed(job_id: str) -> Explained:
    return Explained(job_id=job_id, status="failed", error=_error("artifacts_failed"))
