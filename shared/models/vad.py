"""Voice activity: which 20 ms of a stretch of sound are speech (silero-vad, MIT; method 1.2).

The package's own loader is not used: importing it pins the process to one thread, and it loads
TorchScript. Its safetensors weights and a network of six layers are all that is needed.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.models.errors import BundleError
from shared.models.weights import load_part

RATE, STEP = 16_000, 320  # 20 ms
CHUNK, CONTEXT = 512, 64  # 32 ms, and what the network sees before it
THRESHOLD = 0.5


def speech_mask(samples: NDArray[np.float32], valid: int) -> tuple[NDArray[np.uint8], float]:
    """samples: (N,) float32 in [-1, 1] at 16 kHz; valid: how many are not padding.

    Returns a mask (ceil(N / 320),) uint8, 1 where that 20 ms is speech, and its fraction of the
    valid part in [0, 1]. Stateless: the same samples give the same mask whatever came before.
    """
    mask = np.zeros(-(-len(samples) // STEP), np.uint8)
    steps = -(-valid // STEP)
    if not steps:
        return mask, 0.0
    probability = speech_probability(samples[:valid])
    middle = np.arange(steps) * STEP + STEP // 2
    mask[:steps] = probability[np.minimum(middle // CHUNK, len(probability) - 1)] >= THRESHOLD
    return mask, float(mask[:steps].mean())


@torch.inference_mode()
def speech_probability(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """samples: (N,) float32 at 16 kHz, N >= 1. Returns (ceil(N / 512),), one for each 32 ms."""
    waveform = torch.from_numpy(np.array(samples, np.float32))
    padded = nn.functional.pad(waveform, (CONTEXT, -len(samples) % CHUNK))
    return cast(NDArray[np.float32], _network()(padded.unfold(0, CONTEXT + CHUNK, CHUNK)).numpy())


class _Silero(nn.Module):
    """chunks (T, 576) of one stretch, in order -> probability of speech (T,). Names as in its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, chunks: Tensor) -> Tensor:
        spectrum = self.stft_conv(nn.functional.pad(chunks.unsqueeze(1), (0, CONTEXT), "reflect"))
        features = (spectrum[:, :129].square() + spectrum[:, 129:].square()).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            features = layer(features).relu()
        state: tuple[Tensor, Tensor] | None = None
        hidden = []
        for step in features:  # (128, 1)
            state = self.lstm_cell(step.T, state)
            hidden.append(state[0])
        return cast(Tensor, self.final_conv(torch.cat(hidden).relu()[:, :, None]).sigmoid().flatten())


@cache
def _network() -> _Silero:
    package = find_spec("silero_vad")  # finds, and does not import
    if package is None or not package.submodule_search_locations:
        raise BundleError("silero-vad is not installed")
    network = _Silero()
    folder = Path(package.submodule_search_locations[0])
    load_part(network, folder / "data" / "silero_vad_16k.safetensors")
    return network.eval().requires_grad_(False)
