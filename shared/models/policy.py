"""The verdict's policy: data in the bundle, decided here. No torch here."""

from shared.contracts.base import Modality
from shared.contracts.results import Interval, Probability, VerdictName
from shared.models.schema import BundleManifest, MeasuredBin

_NAMES = {"video": "picture", "audio": "sound"}


def decide(
    p_fake: Probability,
    interval: Interval | None,
    duration_s: float,
    manifest: BundleManifest,
    modalities: tuple[Modality, ...] | None = None,
) -> tuple[VerdictName, str]:
    """A verdict and a sentence why.

    p_fake, interval: of the clip, calibrated. modalities: those that were usable; None: not checked.
    `fake` or `real` only where the bundle's error rates were measured for such a clip and are as
    low as its policy demands; everything else is `inconclusive`.
    """
    if p_fake is None:
        return "inconclusive", "No window could be scored."
    measured = manifest.measured
    if measured is None:
        return "inconclusive", (
            f"Error rates of the bundle {manifest.name} were never measured, so its score decides nothing."
        )
    if modalities is not None and measured.modalities and not _covered(modalities, measured.modalities):
        names = " and ".join(_NAMES[m] for m in sorted(modalities))
        return "inconclusive", f"Error rates were never measured on clips with only {names} usable."
    found = next((b for b in measured.bins if _holds(b, duration_s)), None)
    if found is None:
        return "inconclusive", f"Error rates were never measured on clips of {duration_s:.1f} s."
    return _within(found, p_fake, interval, manifest)


def _within(
    found: MeasuredBin, p_fake: float, interval: Interval | None, manifest: BundleManifest
) -> tuple[VerdictName, str]:
    low, high = interval or (p_fake, p_fake)
    policy = manifest.policy
    if p_fake >= found.fake_at:
        if found.fpr > policy.max_fpr:
            return "inconclusive", _too_often("real", "fake", found.fpr, policy.max_fpr)
        if low <= found.real_at:
            return "inconclusive", "The score's interval reaches from fake to real."
        return "fake", (
            f"p_fake {p_fake:.2f} is at or above {found.fake_at:.2f}, where {found.fpr:.1%} of "
            f"{found.real_clips} real clips of this length were called fake."
        )
    if p_fake <= found.real_at:
        if found.fnr > policy.max_fnr:
            return "inconclusive", _too_often("fake", "real", found.fnr, policy.max_fnr)
        if high >= found.fake_at:
            return "inconclusive", "The score's interval reaches from real to fake."
        return "real", (
            f"p_fake {p_fake:.2f} is at or below {found.real_at:.2f}, where {found.fnr:.1%} of "
            f"{found.fake_clips} fake clips of this length were called real."
        )
    return "inconclusive", (
        f"p_fake {p_fake:.2f} lies between {found.real_at:.2f} and {found.fake_at:.2f}, "
        "where errors are more frequent than this bundle allows."
    )


def _too_often(truth: str, called: str, rate: float, limit: float) -> str:
    return f"On {truth} clips of this length {rate:.1%} were called {called}; allowed are {limit:.1%}."


def _holds(measured: MeasuredBin, duration_s: float) -> bool:
    return measured.from_s <= duration_s and (measured.to_s is None or duration_s < measured.to_s)


def _covered(usable: tuple[Modality, ...], measured: tuple[tuple[Modality, ...], ...]) -> bool:
    return any(set(usable) == set(one) for one in measured)
