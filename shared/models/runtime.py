"""Device, dtype and threads: they change last bits, so they are chosen once and recorded."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.models.errors import BundleError

GPU_ROWS = 16  # windows in one forward
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
    """Makes the calling thread follow the runtime: wav2vec2's last bits depend on the number of threads.

    OpenMP keeps that number per thread, so another thread of the process may fall back to all cores.
    """
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


def in_chunks(forward: Callable[[Tensor], Tensor], batch: Tensor, rows_on_cpu: int = 1) -> Tensor:
    """`forward` over `batch` (rows, ...) so that a row's bits never depend on the rows beside it.

    On a CPU small products take another kernel at another batch size, hence whole chunks of
    `rows_on_cpu` (see `same_bits_together`) and the rest one by one. On a GPU kernels are chosen by
    shape, so every chunk is filled up with zero rows to the same size.
    """
    if batch.device.type == "cpu":
        whole = len(batch) - len(batch) % rows_on_cpu
        chunks = torch.split(batch[:whole], rows_on_cpu) + torch.split(batch[whole:], 1)
        return torch.cat([forward(rows) for rows in chunks if len(rows)])
    outs = []
    for rows in torch.split(batch, GPU_ROWS):
        missing = rows.new_zeros(GPU_ROWS - len(rows), *rows.shape[1:])
        outs.append(forward(torch.cat([rows, missing]))[: len(rows)])
    return torch.cat(outs)


@torch.inference_mode()
def same_bits_together(forward: Callable[[Tensor], Tensor], rows: Tensor) -> bool:
    """Whether `forward` gives each row the same bits alone as among `rows`, here and now.

    Kernels are chosen by shape, device and threads, never by values, so one try on noise settles it.
    """
    together = forward(rows)
    return all(torch.equal(forward(rows[i : i + 1])[0], together[i]) for i in range(len(rows)))
