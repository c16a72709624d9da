"""Each kind of bad input through the front door, with its exact outcome."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from shared.contracts.errors import ERRORS
from shared.contracts.job_view import JobView
from tests.e2e.conftest import LIMIT_BYTES
from tests.support.bad_clips import DEGRADED, FAILED, FATES, FINE, REFUSED, make
from tests.support.clip_files import Frames, Samples, write_clip
from tests.support.local_stack import LocalStack
from tests.support.stack_client import PATH, StackClient, accepted, problem

pytestmark = pytest.mark.stack
Answers = dict[str, httpx.Response]


@pytest.fixture(scope="module")
def answers(running_stack: LocalStack, demo: tuple[Frames, Samples]) -> Iterator[Answers]:
    """How each file was answered; all are sent at once, so that the tests need not wait in turn."""
    if not running_stack.ready():
        running_stack.up()
    with closing(StackClient(running_stack.url)) as client, ThreadPoolExecutor(8) as pool:
        posted = pool.map(lambda name: client.post(make(name, *demo)), FATES)
        yield dict(zip(FATES, posted, strict=True))


def ended(client: StackClient, answers: Answers, name: str) -> JobView:
    return client.finished(accepted(answers[name]))


@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_the_door(answers: Answers, name: str) -> None:
    assert (answers[name].status_code, problem(answers[name])) == (FATES[name].status, FATES[name].code)


@pytest.mark.parametrize("name", FAILED)
def test_fails_with_its_code_and_a_sentence(client: StackClient, answers: Answers, name: str) -> None:
    job = ended(client, answers, name)
    assert job.status == "failed" and job.error and job.results is None
    assert job.error.code == FATES[name].code
    assert job.error.message.startswith(ERRORS[job.error.code].sentence)


@pytest.mark.parametrize("name", DEGRADED)
def test_completes_with_the_modality_that_is_usable(
    client: StackClient, answers: Answers, name: str
) -> None:
    job = ended(client, answers, name)
    assert job.status == "completed" and job.results, job.error
    found = [(part.modality, part.reason) for part in job.results.degraded]
    assert found == list(FATES[name].degraded)
    lost = found[0][0]
    kept = "audio" if lost == "video" else "video"
    assert any(getattr(window, kept) is not None for window in job.results.windows)
    assert all(getattr(window, lost) is None for window in job.results.windows)
    assert job.results.p_fake is not None


@pytest.mark.parametrize("name", FINE)
def test_completes_whole(client: StackClient, answers: Answers, name: str) -> None:
    job = ended(client, answers, name)
    assert job.status == "completed" and job.results, job.error
    assert job.results.degraded == ()
    assert all(part.windows_used > 0 for part in job.results.modalities.values())
    assert job.results.modalities.keys() == {"video", "audio"}


def test_times_that_go_backwards_cost_no_more_than_what_they_garble(
    client: StackClient, answers: Answers
) -> None:
    job = ended(client, answers, "times going backwards")
    assert job.status == "completed" and job.results, job.error
    assert {part.reason for part in job.results.degraded} <= {"decode_failed"}
    assert all(part.windows_used > 0 for part in job.results.modalities.values())


def test_a_picture_that_starts_late_has_no_score_before(client: StackClient, answers: Answers) -> None:
    job = ended(client, answers, "picture late")
    assert job.results
    assert [window.video is None for window in job.results.windows] == [True, True, False, False]
    assert [window.audio is None for window in job.results.windows[2:]] == [True, True]


def test_a_turned_picture_is_shown_upright(client: StackClient, answers: Answers) -> None:
    media = ended(client, answers, "turned").media
    assert media and (media["rotation"], media["width"], media["height"]) == (90, 360, 288)


@pytest.mark.parametrize(("name", "rate", "channels"), [("8 kHz", 8000, 1), ("96 kHz", 96_000, 1),
                                                        ("7.1", 48_000, 8)])
def test_rare_sound_is_read_as_it_is(
    client: StackClient, answers: Answers, name: str, rate: int, channels: int
) -> None:
    media = ended(client, answers, name).media
    assert media and (media["sample_rate"], media["channels"]) == (rate, channels)


def test_a_file_over_the_size_limit_is_refused(client: StackClient, demo: tuple[Frames, Samples]) -> None:
    head = write_clip(demo[0][:25], None)
    answer = client.post(head + bytes(LIMIT_BYTES + 1 - len(head)))
    assert (answer.status_code, problem(answer)) == (413, "too_large")


def test_a_stream_without_a_length_is_refused_once_it_is_too_long(
    client: StackClient, demo: tuple[Frames, Samples]
) -> None:
    def endless() -> Iterator[bytes]:
        body = io.BytesIO(
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
            + write_clip(demo[0][:25], None)
        ).getvalue()
        yield body
        for _ in range(LIMIT_BYTES // 2**20 + 2):
            yield bytes(2**20)

    answer = client.http.post(f"{PATH}/analyze-video", content=endless(),
                              headers={"content-type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, problem(answer)) == (413, "too_large")


@pytest.mark.parametrize("url", [
    "http://example.com/clip.mp4", "https://localhost/clip.mp4", "https://127.0.0.1/clip.mp4",
    "https://10.0.0.8/clip.mp4", "https://192.168.1.1/clip.mp4", "https://172.16.9.9/clip.mp4",
    "https://169.254.169.254/latest/meta-data/", "https://metadata.google.internal/computeMetadata/v1/",
    "https://[::1]/clip.mp4", "https://[::ffff:127.0.0.1]/clip.mp4", "https://[::ffff:a9fe:a9fe]/clip.mp4",
    "https://[fe80::1]/clip.mp4", "https://[fd00:ec2::254]/clip.mp4", "https://[64:ff9b::7f00:1]/clip.mp4",
    "https://[2002:7f00:1::]/clip.mp4", "https://0x7f.1/clip.mp4", "https://2130706433/clip.mp4",
    "https://0/clip.mp4", "https://100.64.0.1/clip.mp4", "https://user:secret@example.com/clip.mp4",
    "https://example.com:22/clip.mp4", "file:///etc/passwd", "ftp://example.com/clip.mp4", "s3://media/clip.mp4",
])  # fmt: skip
def test_urls_of_places_that_are_not_public_are_refused(client: StackClient, url: str) -> None:
    answer = client.post_url(url)
    assert (answer.status_code, problem(answer)) == (422, "url_forbidden")
