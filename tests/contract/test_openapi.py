"""The API does what its OpenAPI document says, whatever it is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.ingest.api import create_app
from shared.contracts.job_view import JobPage, JobView
from tests.support.ingest import MP4, Ingest, explained, ingest, planned, verdict

OPERATIONS = [
    "POST /api/v1/jobs/analyze-video", "GET /api/v1/jobs", "GET /api/v1/jobs/{job_id}",
    "DELETE /api/v1/jobs/{job_id}", "GET /api/v1/jobs/{job_id}/events",
    "GET /api/v1/jobs/{job_id}/artifacts/{name}",
]
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    with ingest(tmp_path_factory.mktemp("ingest")) as replica:
        replica.sweeper().sweep()
        yield replica


@pytest.fixture(scope="module")
def api_schema(replica: Ingest) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(replica.api()))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_documented(api_schema: Any, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()

    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True,
        phases=(Phase.explicit, Phase.generate), database=None,
    )
    @given(api_schema[path][method].as_strategy(generation_mode=mode))
    def conforms(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(checks=CHECKS)

    conforms()


def test_no_operation_is_left_out(api_schema: Any) -> None:
    assert sorted(found.ok().label for found in api_schema.get_all_operations()) == sorted(OPERATIONS)


def test_a_completed_job_conforms_to_the_published_schema(replica: Ingest) -> None:
    with replica.client() as client:
        document = client.get("/openapi.json").json()
        job_id = client.post("/api/v1/jobs/analyze-video", files={"file": ("a.mp4", MP4)}).json()["job_id"]
        replica.say(planned(job_id), verdict(job_id), explained(job_id))
        replica.state(job_id)
        job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert JobView.model_validate(job).model_dump(mode="json") == job
    assert job.keys() == document["components"]["schemas"]["JobView"]["properties"].keys()


def test_every_problem_has_its_code_and_both_kinds_of_submission_are_documented(replica: Ingest) -> None:
    with replica.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    submission = paths["/api/v1/jobs/analyze-video"]["post"]
    assert submission["requestBody"]["content"].keys() == {"multipart/form-data", "application/json"}
    assert {"202", "409", "413", "415", "422", "503"} == submission["responses"].keys()
    assert "`idempotency_conflict`" in submission["responses"]["409"]["description"]
    assert JobPage.__name__ in str(paths["/api/v1/jobs"]["get"]["responses"]["200"])
