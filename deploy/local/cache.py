"""Things built or fetched once per user: where they are kept, and how two builds never clash."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]


def cache_folder() -> Path:
    """`veracity` below XDG_CACHE_HOME, or below ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).expanduser() / "veracity"


@contextmanager
def locked(name: str, say: Say) -> Iterator[None]:
    """Hold the lock `name` of this user's cache; the kernel frees it if the holder dies."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: another process is at it, waiting for it to finish")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def install(name: str, make: Callable[[Path], None], say: Say) -> Path:
    """The folder `name` of the cache, filled by `make` once and whole: it appears by one rename."""
    target = cache_folder() / name
    if target.is_dir():
        return target
    with locked(name, say):
        if target.is_dir():
            return target
        fresh = Path(tempfile.mkdtemp(prefix=f"{name}.part-", dir=cache_folder()))
        try:
            make(fresh)
            fresh.chmod(0o755)
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return target
