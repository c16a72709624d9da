"""The content of `bundle.json`: what a bundle is and what it was measured to do. No torch here."""

from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import Body, Modality


class WeightFile(Body):
    """One safetensors file of the bundle."""

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")


class ClipCalibration(Body):
    """For clips of at most `up_to_s` seconds (None: any): logit -> (logit + bias) / temperature."""

    up_to_s: float | None = None
    temperature: float = Field(default=1.0, gt=0)
    bias: float = 0.0


class Calibration(Body):
    """Raw logits to probabilities, and windows to a clip.

    A window's logit is `fused`; its probability sigmoid((logit + bias) / temperature), likewise
    for the unimodal heads. A clip's is the mean over the top fraction of its windows, corrected by
    the first of `clips` whose `up_to_s` covers its duration, since a top fraction of an hour is not
    that of two seconds.
    """

    temperature: float = Field(default=1.0, gt=0)
    bias: float = 0.0
    video_temperature: float = Field(default=1.0, gt=0)
    audio_temperature: float = Field(default=1.0, gt=0)
    top_fraction: float = Field(default=0.25, gt=0, le=1)
    clips: tuple[ClipCalibration, ...] = ()


class MeasuredBin(Body):
    """Error rates measured on left-out clips lasting [from_s, to_s) seconds, at these thresholds."""

    from_s: float = Field(ge=0)
    to_s: float | None = Field(default=None, description="None: and longer")
    fake_at: float = Field(ge=0, le=1, description="p_fake from here on is called fake")
    real_at: float = Field(ge=0, le=1, description="p_fake up to here is called real")
    fpr: float = Field(ge=0, le=1, description="real clips called fake")
    fnr: float = Field(ge=0, le=1, description="fake clips called real")
    real_clips: int = Field(ge=0)
    fake_clips: int = Field(ge=0)


class Measured(Body):
    """What evaluation wrote; never typed by hand."""

    data: str = Field(description="what it was measured on")
    modalities: tuple[tuple[Modality, ...], ...] = Field(
        default=(), description="the sets of usable modalities it was measured with; empty: any"
    )
    bins: tuple[MeasuredBin, ...] = ()
    metrics: dict[str, Any] = {}


class Policy(Body):
    """The error rates that a verdict may have; a bin that was measured worse gives none."""

    max_fpr: float = 0.05
    max_fnr: float = 0.05


class BundleManifest(Body):
    """The content of `bundle.json`."""

    format: Literal[1] = 1
    name: str
    preset: str
    overlay: dict[str, Any] = Field(default={}, description="differences from the named preset")
    backbones: dict[Modality, dict[str, Any]] = Field(
        default={}, description="`transformers` configs of the pretrained-size backbones"
    )
    pretrained: dict[Modality, str | None] = Field(
        default={}, description="where each backbone's weights came from; None: random"
    )
    weights: tuple[WeightFile, ...]
    trained: bool
    training: str = Field(description="what it was trained on, for people; or that it was not")
    licence: str
    sizes: dict[str, Any] = Field(default={}, description="shapes at the edges, for people")
    modality_weights: dict[Modality, float] = Field(
        default={"video": 1.0, "audio": 1.0}, description="0: shown, but masked in the fusion"
    )
    calibration: Calibration = Calibration()
    policy: Policy = Policy()
    measured: Measured | None = None
    digest: str = ""

    def measured_dict(self) -> dict[str, Any] | None:
        """For `shared.contracts.results.BundleRef`."""
        return None if self.measured is None else self.measured.model_dump(mode="json")
