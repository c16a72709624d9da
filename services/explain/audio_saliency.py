"""Which times and frequencies of a window made it sound fake, drawn over its spectrogram."""

from io import BytesIO

import matplotlib

matplotlib.use("Agg")  # before pyplot would choose a screen

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shared.media.windows import SAMPLE_RATE

N_FFT, HOP = 400, 160  # 25 ms every 10 ms


def saliency(
    samples: NDArray[np.float32], gradient: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """samples, gradient: (N,) float32. Returns (spectrogram in dB, saliency in [0, 1]), both (201, T).

    Gradient times input in the short-time Fourier domain: |S(f, t)| |G(f, t)|, smoothed over 3 x 3.
    """
    sound, slope = _stft(samples), _stft(gradient)
    product = torch.nn.functional.avg_pool2d((sound * slope)[None, None], 3, stride=1, padding=1)[0, 0]
    peak = float(product.max())
    scaled = product / peak if peak > 0 else product
    decibels = 20 * torch.log10(sound.clamp_min(1e-5))
    return decibels.numpy(), scaled.numpy()


def draw(samples: NDArray[np.float32], gradient: NDArray[np.float32], start_s: float, p_fake: float) -> bytes:
    """PNG: the spectrogram in grey, the saliency over it. `start_s`: of the window, for the axis."""
    decibels, salient = saliency(samples, gradient)
    extent = (start_s, start_s + len(samples) / SAMPLE_RATE, 0.0, SAMPLE_RATE / 2000)
    figure = Figure(figsize=(7, 3), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.imshow(decibels, origin="lower", aspect="auto", cmap="gray", extent=extent)
    shown = axes.imshow(
        salient, origin="lower", aspect="auto", cmap="inferno", extent=extent, vmin=0, vmax=1,
        alpha=0.75 * np.sqrt(salient),
    )
    axes.set(xlabel="time (s)", ylabel="frequency (kHz)",
             title=f"what weighed in the sound, window {int(start_s)}, p(fake) {p_fake:.2f}")
    figure.colorbar(shown, label="share of the fake score")
    return to_png(figure)


def to_png(figure: Figure) -> bytes:
    """The same figure gives the same bytes."""
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _stft(signal: NDArray[np.float32]) -> torch.Tensor:
    window = torch.hann_window(N_FFT)
    tensor = torch.from_numpy(np.array(signal, np.float32))
    return torch.stft(tensor, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True).abs()
