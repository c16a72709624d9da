"""The doors beside HTTP: an event that an upstream platform publishes, and a file in the inbox bucket."""

import json
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer
from minio import Minio

from deploy.local import minio
from deploy.local.layout import ROOT, secret_key
from shared.contracts.job_view import JobView
from tests.support.local_stack import LocalStack
from tests.support.stack_client import PATH, StackClient, wait_for

pytestmark = pytest.mark.stack
DEMO = ROOT / "deploy" / "local" / "demo" / "clip.mp4"


def put(stack: LocalStack, bucket: str, key: str, file: Path) -> None:
    """As any S3 client does."""
    endpoint = f"127.0.0.1:{stack.layout.port('minio')}"
    store = Minio(endpoint, minio.Credentials.access_key, secret_key(stack.layout.state), secure=False)
    store.fput_object(bucket, key, str(file))


def newest_jobs(client: StackClient) -> set[str]:
    listed = client.http.get(PATH, params={"limit": 100})
    listed.raise_for_status()
    return {job["job_id"] for job in listed.json()["jobs"]}


def the_job_that_came(client: StackClient, before: set[str]) -> JobView:
    """The one job that was not listed before, once it has ended."""
    came = wait_for(lambda: newest_jobs(client) - before, "a job", 60)
    assert len(came) == 1
    return client.finished(came.pop())


def publish(stack: LocalStack, value: object, headers: dict[str, str]) -> None:
    """As a platform does that knows nothing of our code."""
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{stack.layout.port('kafka')}",
                         "partitioner": "murmur2_random"})
    producer.produce("media-submitted-v1", key=str(uuid.uuid4()), value=json.dumps(value),
                     headers=dict(headers))
    assert producer.flush(30) == 0


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_published_event_is_analysed(stack: LocalStack, client: StackClient, mode: str) -> None:
    put(stack, "media", f"talks/{mode}.mp4", DEMO)
    event_id, before = str(uuid.uuid4()), newest_jobs(client)
    data = {"id": event_id, "media_uri": f"s3://media/talks/{mode}.mp4"}
    about = {"specversion": "1.0", "id": event_id, "source": "/my-platform",
             "type": "io.veracity.media.submitted.v1"}
    if mode == "binary":
        headers = {f"ce_{name}": value for name, value in about.items()}
        publish(stack, data, headers | {"content-type": "application/json"})
    else:
        publish(stack, {**about, "datacontenttype": "application/json", "data": data},
                {"content-type": "application/cloudevents+json"})
    job = the_job_that_came(client, before)
    assert job.status == "completed"
    assert job.results and job.results.verdict == "inconclusive"


def test_file_dropped_in_the_inbox_is_analysed(stack: LocalStack, client: StackClient) -> None:
    before = newest_jobs(client)
    put(stack, "inbox", "from camera/übung 1.mp4", DEMO)
    assert the_job_that_came(client, before).status == "completed"
