"""`python -m services.ingest`: the API, the read model, the planner, the intake and the sweeper.

Configuration: `settings.py`, `KAFKA_*`, `S3_*` and `VERACITY_LIMIT_*`.
"""

import logging
import sys
from functools import partial
from pathlib import Path

from services.ingest.service import Service
from services.ingest.settings import IngestSettings
from shared.media.limits import Limits
from shared.messaging.settings import KafkaSettings
from shared.models.manifest import read_manifest
from shared.observability.logs import setup_logging
from shared.observability.runner import stop_on_signals
from shared.storage import ObjectStore, S3Settings, open_store
from shared.storage.keys import parse_uri

log = logging.getLogger("services.ingest")


def main() -> int:
    """0 after SIGTERM or SIGINT; 1 when a part died, for a supervisor to start it anew."""
    setup_logging("ingest")
    # The API's thread gives up the GIL at every read of a socket and must not wait 5 ms to get it back.
    sys.setswitchinterval(0.001)
    stop = stop_on_signals()
    settings, s3 = IngestSettings(), S3Settings()
    try:
        store = open_store(s3)
        manifest = read_manifest(settings.bundle, partial(_fetch, store))
        service = Service(settings, KafkaSettings(), s3, Limits(), store, manifest.digest)
        log.info("starting", extra={"bundle": manifest.name, "bundle_digest": manifest.digest})
        return 0 if service.run(stop) else 1
    except Exception:
        log.exception("ingest ends; it has to be started again")
        return 1


def _fetch(store: ObjectStore, uri: str, path: Path) -> None:
    """One object of a bundle under an `s3://` prefix."""
    bucket, key = parse_uri(uri)
    path.write_bytes(store.within(bucket).get(key))


if __name__ == "__main__":
    sys.exit(main())
