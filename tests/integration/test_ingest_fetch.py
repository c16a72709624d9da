"""Fetching a stranger's URL from a real https server on this machine, which only tests can allow."""

import ipaddress
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from services.ingest.fetch import Fetcher
from services.ingest.url_policy import Address, UrlPolicy, is_public
from shared.contracts.outcomes import BadMedia
from tests.support.clips_server import CONTENT, ClipsServer, clips_server

HERE = ipaddress.ip_address("127.0.0.1")
ELSEWHERE = ipaddress.ip_address("127.0.0.2")


@pytest.fixture(scope="module")
def clips() -> Iterator[ClipsServer]:
    with clips_server() as server:
        yield server


class Names:
    """A resolver: `inside.example` is where nobody may go. Counts its questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        if host == "nowhere.example":
            raise OSError("no such name")
        return [HERE, ELSEWHERE] if host == "inside.example" else [HERE]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def fetcher(names: Names) -> Fetcher:
    policy = UrlPolicy(allowed=lambda address: address == HERE, ports=None)
    tls = ClipsServer.trust()
    return Fetcher(1_000_000, total_s=1.5, stall_s=1.0, policy=policy, resolver=names, tls=tls)


def fetch(fetcher: Fetcher, url: str) -> bytes:
    with fetcher.open(url) as pieces:
        return b"".join(pieces)


def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(BadMedia) as caught:
        fetch(fetcher, url)
    return caught.value.code


def test_a_clip_is_fetched_by_name_from_the_address_that_was_checked(
    clips: ClipsServer, fetcher: Fetcher, names: Names
) -> None:
    assert fetch(fetcher, clips.url("/clip?a=b c".replace(" ", "%20"))) == CONTENT
    assert clips.seen[-1] == ("clips.example", f"clips.example:{clips.port}", "/clip?a=b%20c")
    assert names.asked == ["clips.example"]
    assert clips.headers["accept-encoding"] == "identity"


def test_proxies_of_the_environment_are_not_used(
    clips: ClipsServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(fetcher, clips.url("/clip")) == CONTENT


def test_two_redirects_are_followed_and_a_third_is_not(clips: ClipsServer, fetcher: Fetcher) -> None:
    once = "/move?to=/clip"
    twice = f"/move?to={once.replace('?', '%3F').replace('=', '%3D')}"
    thrice = f"/move?to={twice.replace('%', '%25').replace('?', '%3F').replace('=', '%3D')}"
    assert fetch(fetcher, clips.url(twice)) == CONTENT
    assert refusal(fetcher, clips.url(thrice)) == "fetch_failed"


@pytest.mark.parametrize(
    "to",
    ["https://inside.example/", "https://10.0.0.1/", "https://[::ffff:127.0.0.2]/", "http://clips.example/"],
)
def test_a_redirect_is_judged_like_the_url_itself(clips: ClipsServer, fetcher: Fetcher, to: str) -> None:
    before = len(clips.seen)
    assert refusal(fetcher, clips.url(f"/move?to={to}")) == "url_forbidden"
    assert len(clips.seen) == before + 1


def test_a_name_with_one_forbidden_address_is_refused_unvisited(clips: ClipsServer, fetcher: Fetcher) -> None:
    before = len(clips.seen)
    assert refusal(fetcher, clips.url("/clip", "inside.example")) == "url_forbidden"
    assert len(clips.seen) == before


def test_without_the_tests_permission_this_server_is_out_of_reach(
    clips: ClipsServer, fetcher: Fetcher
) -> None:
    strict = replace(fetcher, policy=UrlPolicy(ports=None))
    assert refusal(strict, clips.url("/clip")) == "url_forbidden"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/absent", "fetch_failed"), ("/compressed", "fetch_failed"), ("/cut-off", "fetch_failed"),
        ("/says-huge", "too_large"), ("/endless", "too_large"), ("/silent", "fetch_timeout"),
        ("/dripping", "fetch_timeout"), ("/dripping-headers", "fetch_timeout"),
    ],
)
def test_a_host_that_misbehaves_is_given_up_in_time(
    clips: ClipsServer, fetcher: Fetcher, path: str, code: str
) -> None:
    start = time.monotonic()
    assert refusal(fetcher, clips.url(path)) == code
    assert time.monotonic() - start < 5


def test_a_certificate_for_another_name_is_not_accepted(clips: ClipsServer, fetcher: Fetcher) -> None:
    assert refusal(fetcher, clips.url("/clip", "other.example")) == "fetch_failed"


def test_a_name_that_does_not_exist_is_a_failed_fetch(clips: ClipsServer, fetcher: Fetcher) -> None:
    assert refusal(fetcher, clips.url("/clip", "nowhere.example")) == "fetch_failed"


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1",
        "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:4136:e378::1", "2001:db8::1",
        "::7f00:1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"],
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
