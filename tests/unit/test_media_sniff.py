"""The door judges by first bytes only."""

from typing import Any

import pytest

from shared.contracts.outcomes import BadMedia
from shared.media.sniff import HEAD_BYTES, sniff
from tests.support.media_maker import make

_KINDS: dict[str, dict[str, Any]] = {
    "mp4": {"container": "mp4"},
    "mov": {"container": "mov"},
    "m4a": {"container": "ipod", "video": None},
    "mkv": {"container": "matroska"},
    "webm": {"container": "webm", "video": "libvpx-vp9", "audio": None, "fps": 5},
    "avi": {"container": "avi", "video": "mpeg4", "audio": "libmp3lame"},
    "mpeg": {"container": "mpeg", "video": "mpeg2video", "audio": "mp2"},
    "mpegts": {"container": "mpegts"},
    "ogg": {"container": "ogg", "video": None, "audio": "libopus", "rate": 48_000},
    "wav": {"container": "wav", "video": None, "audio": "pcm_s16le"},
    "flac": {"container": "flac", "video": None, "audio": "flac"},
    "mp3": {"container": "mp3", "video": None, "audio": "libmp3lame"},
    "aac": {"container": "adts", "video": None},
}


@pytest.mark.parametrize("name", sorted(_KINDS))
def test_each_container_is_known_by_its_first_bytes(name: str) -> None:
    assert sniff(make(seconds=1.0, **_KINDS[name])[:HEAD_BYTES]) == name


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", "empty_file"),
        (b"just some text, named .mp4", "unsupported_media"),
        (b"\0" * 4096, "unsupported_media"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unsupported_media"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "unsupported_media"),
        (b"GIF89a\1\0\1\0", "unsupported_media"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "unsupported_media"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "unsupported_media"),
        (b"PK\3\4\x14\0", "unsupported_media"),
        (b"#EXTM3U\n#EXTINF:1,\nhttps://example.org/a.ts\n", "playlist_refused"),
        (b"\xef\xbb\xbf\r\n  #extm3u\n", "playlist_refused"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "playlist_refused"),
        (b"# harmless\nfile '/etc/hostname'\n", "playlist_refused"),
        (b"[playlist]\nFile1=/etc/passwd\n", "playlist_refused"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "playlist_refused"),
        (b'<?xml version="1.0"?><MPD></MPD>', "playlist_refused"),
    ],
)
def test_what_is_no_media_is_refused_by_name(head: bytes, code: str) -> None:
    with pytest.raises(BadMedia) as caught:
        sniff(head)
    assert caught.value.code == code
