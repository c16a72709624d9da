"""Kafka's jars: what jgo.lock.toml names, from Maven Central, checked by SHA-256, kept in the user's cache.

`python -m deploy.local.jars --lock` resolves jgo.toml again and writes jgo.lock.toml.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.env import LockFile
from jgo.maven import MavenContext

from deploy.local import cache

HERE = Path(__file__).parent
LOCK = HERE / "jgo.lock.toml"


class JarMismatch(Exception):
    """A fetched jar has another SHA-256 than the lock file says."""


def folder_name() -> str:
    """Names the cache folder by the lock file's content, so a new lock never meets old jars."""
    return f"kafka-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def ensure(say: cache.Say) -> Path:
    """Folder with every jar of the lock file; fetches them the first time. Raises JarMismatch."""
    return cache.install(folder_name(), lambda folder: _fetch(folder, say), say)


def _fetch(folder: Path, say: cache.Say) -> None:
    locked = LockFile.load(LOCK).dependencies
    repository = folder / "repository"
    context = MavenContext(repo_cache=repository, local_repos=[], timeout=60)

    def fetch(index: int) -> str:
        wanted = locked[index]
        component = context.project(wanted.groupId, wanted.artifactId).at_version(wanted.version)
        jar = component.artifact(classifier=wanted.classifier or "", packaging=wanted.packaging).resolve()
        digest = hashlib.sha256(jar.read_bytes()).hexdigest()
        if digest != wanted.sha256:
            raise JarMismatch(f"{jar.name}: SHA-256 is {digest}, {LOCK.name} says {wanted.sha256}")
        jar.rename(folder / jar.name)
        return jar.name

    with ThreadPoolExecutor(8) as pool:
        for done, name in enumerate(pool.map(fetch, range(len(locked))), start=1):
            if done % 10 == 0 or done == len(locked):
                say(f"kafka: {done} of {len(locked)} jars, {name}")
    shutil.rmtree(repository)


def lock() -> None:
    """Resolve jgo.toml anew."""
    jgo = Path(sys.executable).with_name("jgo")
    subprocess.run([jgo, "lock"], cwd=HERE, check=True)  # noqa: S603 - our own tool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", action="store_true", help="resolve jgo.toml anew and write the lock file")
    if parser.parse_args().lock:
        lock()
    print(ensure(print))


if __name__ == "__main__":
    main()
