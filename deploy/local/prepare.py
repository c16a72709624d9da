"""`python -m deploy.local.prepare`: the servers that are no Python packages, into the user's cache."""

import sys
from concurrent.futures import ThreadPoolExecutor

from deploy.local import go_tools, jars


def main() -> int:
    """Fetches Kafka's jars while MinIO is built; at once when both are there."""
    with ThreadPoolExecutor(2) as pool:
        parts = [
            pool.submit(jars.ensure, _say),
            pool.submit(go_tools.ensure, go_tools.MINIO, _say),
        ]
    faults = [error for part in parts if (error := part.exception())]
    for error in faults:
        print(f"setup: {error}", file=sys.stderr)
    return 1 if faults else 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
