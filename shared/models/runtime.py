"""Device, dtype and threads: they change last bits, so they are chosen once and recorded."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.models.errors import BundleError

CHUNK = 8  # windows in one forward: bounds memory, and faces and sound gain nothing beyond it
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Runtime:
    """`str()` gives what results record, e.g. "cpu/bfloat16/2"."""

    device: torch.device
    dtype: torch.dtype
    threads: int

    def __str__(self) -> str:
        return f"{self.device}/{str(self.dtype).removeprefix('torch.')}/{self.threads}"


def choose(device: str, dtype: str, threads: int | None) -> Runtime:
    """Resolves "auto": cuda where there is one; bfloat16 where the hardware has instructions for it."""
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise BundleError(f"device {device!r} is none that torch knows") from error
    if dtype == "auto":
        fast = torch.cuda.is_bf16_supported() if chosen.type == "cuda" else cpu_has_bfloat16()
        dtype = "bfloat16" if fast else "float32"
    if dtype not in _DTYPES:
        raise BundleError(f"dtype {dtype!r} is none of auto, {', '.join(_DTYPES)}")
    return Runtime(chosen, _DTYPES[dtype], threads or len(os.sched_getaffinity(0)))


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AMX or AVX-512 BF16); emulation is slow."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def pin(runtime: Runtime) -> None:
    """Makes the process follow the runtime. wav2vec2's last bits depend on the number of threads."""
    torch.set_num_threads(runtime.threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def cast_weights(module: nn.Module, dtype: torch.dtype) -> None:
    """To `dtype`, except modules that say `full_precision`: signal front ends, useless when rounded."""
    for part in module.modules():
        target = torch.float32 if getattr(part, "full_precision", False) else dtype
        for name, parameter in part.named_parameters(recurse=False):
            if parameter.is_floating_point():
                cast = nn.Parameter(parameter.to(target), requires_grad=parameter.requires_grad)
                part.register_parameter(name, cast)
        for name, buffer in part.named_buffers(recurse=False):
            if buffer.is_floating_point():
                part.register_buffer(name, buffer.to(target))


def in_chunks(forward: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """`forward` over `batch` (rows, ...) in chunks of at most `CHUNK` rows.

    On a GPU, kernels are chosen by shape, so a short chunk is filled up with zero rows: every row
    then goes through the same kernels whatever else is in the batch. CPU kernels need no filling
    (tested bit-equal).
    """
    outs = []
    for rows in torch.split(batch, CHUNK):
        missing = CHUNK - len(rows) if batch.device.type == "cuda" else 0
        full = torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing else rows
        outs.append(forward(full)[: len(rows)])
    return torch.cat(outs)
