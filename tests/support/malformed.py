"""Hundreds of files that are not what they say, made from one good clip. The same ones on every call.

The clip is an MP4 of ours: 32-bit sizes, picture track first, moov at the end.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.support.mp4_boxes import Box, box, boxes, find, patched, with_moov, without

SEED = 20
Named = Iterator[tuple[str, bytes]]
_TOP = (b"ftyp", b"mdat", b"moov")
PLAYLISTS = {
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "m3u8-bom": b"\xef\xbb\xbf#EXTM3U\nhttp://169.254.169.254/latest/meta-data\n",
    "m3u8-blank": b"\n\n   #EXTM3U\nconcat:a|b\n",
    "ffconcat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "concat-quiet": b"# nothing to see\nfile '/etc/hostname'\nduration 5\n",
    "pls": b"[playlist]\nFile1=/etc/passwd\nNumberOfEntries=1\n",
    "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 1234 RTP/AVP 96\r\n",
    "dash": b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/</BaseURL></MPD>',
    "asx": b'<asx version="3.0"><entry><ref href="file:///etc/passwd"/></entry></asx>',
    "url": b"https://127.0.0.1:9/clip.mp4\n",
    "subfile": b"subfile,,start,0,end,9,,:/etc/passwd\n",
}
_HEADERS = {
    "avi": b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl",
    "wav": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0",
    "rf64": b"RF64\xff\xff\xff\xffWAVEds64",
    "mkv": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska",
    "webm": b"\x1a\x45\xdf\xa3\x8f\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
    "mpeg": b"\0\0\x01\xba\x44\0\x04\0\x04\x01\0\0\x03\xf8\0\0\x01\xe0\0\0",
    "ts": (b"G\x40\0\x10" + b"\xff" * 184) * 6,
    "ogg": b"OggS\0\x02" + b"\0" * 20 + b"\x01\x1e\x01vorbis",
    "flac": b"fLaC\x80\0\0\x22" + b"\xff" * 34,
    "mp3": b"\xff\xfb\x90\x44",
    "adts": b"\xff\xf1\x50\x80\x02\x1f\xfc",
    "id3": b"ID3\x04\0\x80\x7f\x7f\x7f\x7f",
    "asf": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "gif": b"GIF89a\xff\xff\xff\xff", "flv": b"FLV\x01\x05\0\0\0\t", "zip": b"PK\x03\x04",
    "gzip": b"\x1f\x8b\x08", "elf": b"\x7fELF\x02\x01\x01", "pdf": b"%PDF-1.7\n",
}


def malformed(clip: bytes) -> dict[str, bytes]:
    """Name to content."""
    chance = random.Random(SEED)  # noqa: S311 repeatable, not secret
    made: dict[str, bytes] = {}
    for kind in (_cut, _flipped, _blotted, _lying, _absurd, _shuffled, _foreign, _disguised, _bombs):
        for name, content in kind(clip, chance):
            made[f"{kind.__name__[1:]}-{name}"] = content
    return made


def _cut(clip: bytes, chance: random.Random) -> Named:
    """Near the beginning, around every box at the top, and anywhere."""
    edges = [edge for name in _TOP for edge in (find(clip, name).start, find(clip, name).end)]
    early = [0, 1, 3, 4, 7, 8, 9, 12, 16, 24, 31]
    for at in sorted({*early, *(edge + by for edge in edges for by in (-1, 1, 8)), *_steps(clip, 28)}):
        if 0 <= at < len(clip):
            yield f"{at}", clip[:at]
    for at in (8, 32, 1000, len(clip) // 2):
        yield f"head-{at}", clip[at:]


def _flipped(clip: bytes, chance: random.Random) -> Named:
    """Single bits up to one in fifty bytes, in the index, in the streams, everywhere."""
    places = {"index": find(clip, b"moov"), "streams": find(clip, b"mdat"), "all": Box((b"",), 0, len(clip))}
    for name, place in places.items():
        for number in range(14):
            data = bytearray(clip)
            for _ in range(1 + (place.end - place.start) * number // 700):
                data[chance.randrange(place.start, place.end)] ^= 1 << chance.randrange(8)
            yield f"{name}-{number}", bytes(data)


def _blotted(clip: bytes, chance: random.Random) -> Named:
    for number in range(16):
        start, length = chance.randrange(len(clip)), chance.choice((16, 400, 4000, len(clip)))
        end = min(len(clip), start + length)
        filling = (b"\0", b"\xff", bytes([chance.randrange(256)]))[number % 3]
        yield f"{number}", clip[:start] + filling * (end - start) + clip[end:]


def _lying(clip: bytes, chance: random.Random) -> Named:
    """Boxes that are larger or smaller than they say, or not what they are called."""
    for number, each in enumerate(boxes(clip)):
        size = chance.choice((0, 1, 4, 9, each.end - each.start + 9, 0x7FFFFFFF, 0xFFFFFFFF))
        label = f"{number}-{each.name.decode()}"
        yield f"{label}-size-{size}", patched(clip, each.start, struct.pack(">I", size))
        if chance.random() < 0.4:
            yield f"{label}-name", patched(clip, each.start + 4, b"xxxx")


def _absurd(clip: bytes, chance: random.Random) -> Named:
    """One field of the index that no clip has: (box, its number, offset in its content, value)."""
    big, half, odd = b"\xff" * 4, b"\x7f\xff\xff\xff", b"xxxx"
    fields = {
        "timescale-0": (b"mvhd", 0, 12, b"\0" * 4), "timescale-big": (b"mvhd", 0, 12, big),
        "duration-big": (b"mvhd", 0, 16, big), "media-timescale-0": (b"mdhd", 0, 12, b"\0" * 4),
        "media-timescale-1": (b"mdhd", 0, 12, b"\0\0\0\1"), "media-timescale-big": (b"mdhd", 0, 12, half),
        "sound-timescale-1": (b"mdhd", 1, 12, b"\0\0\0\1"), "media-duration-big": (b"mdhd", 0, 16, big),
        "samples-of-2-GB": (b"stsz", 0, 4, half), "2-billion-samples": (b"stsz", 0, 8, half),
        "no-samples": (b"stsz", 0, 8, b"\0" * 4), "no-sound-samples": (b"stsz", 1, 8, b"\0" * 4),
        "first-sample-2-GB": (b"stsz", 0, 12, half), "first-sample-0": (b"stsz", 0, 12, b"\0" * 4),
        "2-billion-times": (b"stts", 0, 4, half), "times-back": (b"stts", 0, 12, big),
        "times-hours": (b"stts", 0, 12, b"\x0f\xff\xff\xff"), "sound-times-back": (b"stts", 1, 12, big),
        "chunks-beyond": (b"stco", 0, 8, half), "2-billion-chunks": (b"stco", 0, 4, half),
        "chunks-in-index": (b"stco", 0, 8, struct.pack(">I", len(clip) - 9)),
        "shown-late": (b"elst", 0, 12, half), "shown-never": (b"elst", 0, 8, b"\0" * 4),
        "shown-long": (b"elst", 0, 8, half),
        "offsets-wild": (b"ctts", 0, 12, b"\x80\0\0\1"), "key-frames-none": (b"stss", 0, 4, b"\0" * 4),
        "picture-is-text": (b"hdlr", 0, 8, b"text"), "sound-is-picture": (b"hdlr", 1, 8, b"vide"),
        "picture-is-sound": (b"hdlr", 0, 8, b"soun"), "codec-unknown": (b"stsd", 0, 12, odd),
        "sound-codec-unknown": (b"stsd", 1, 12, odd), "codec-other": (b"stsd", 0, 12, b"hvc1"),
        "codec-mjpeg": (b"stsd", 0, 12, b"jpeg"), "codec-prores": (b"stsd", 0, 12, b"apcn"),
        "encrypted": (b"stsd", 0, 12, b"encv"), "16000-wide": (b"stsd", 0, 40, b"\x3e\x80\x3e\x80"),
        "65535-wide": (b"stsd", 0, 40, big), "0-wide": (b"stsd", 0, 40, b"\0" * 4),
        "shown-65535-wide": (b"tkhd", 0, 76, big + big), "decoder-lies": (b"stsd", 0, 102, big * 3),
        "sound-decoder-lies": (b"stsd", 1, 60, big * 4), "channels-0": (b"stsd", 1, 32, b"\0\0"),
        "channels-65535": (b"stsd", 1, 32, b"\xff\xff"), "rate-0": (b"stsd", 1, 40, b"\0" * 4),
        "rate-big": (b"stsd", 1, 40, big), "elsewhere": (b"dref", 0, 12, b"alis\0\0\0\0"),
    }  # fmt: skip
    for name, (where, number, offset, value) in fields.items():
        yield name, patched(clip, find(clip, where, number).body + offset, value)


def _shuffled(clip: bytes, chance: random.Random) -> Named:
    """Whole parts in the wrong order, missing, or more than once."""
    parts = {name: clip[find(clip, name).start : find(clip, name).end] for name in _TOP}
    ftyp, mdat, moov = parts.values()
    yield "index-first", ftyp + moov + mdat
    yield "no-index", without(clip, find(clip, b"moov"))
    yield "no-streams", without(clip, find(clip, b"mdat"))
    yield "two-indexes", clip + moov
    yield "two-beginnings", ftyp + clip
    yield "twice", clip + clip
    yield "backwards", clip[::-1]
    yield "streams-backwards", patched(clip, 48, mdat[8:][::-1])
    yield "tracks-swapped", patched(patched(clip, find(clip, b"hdlr").body + 8, b"soun"),
                                    find(clip, b"hdlr", 1).body + 8, b"vide")
    track = clip[find(clip, b"trak").start : find(clip, b"trak").end]
    yield "300-tracks", with_moov(clip, track * 300)
    yield "40-tracks", with_moov(clip, track * 40)
    yield "deep", ftyp + _nested(b"moov", 3000) + mdat
    yield "deep-tracks", with_moov(clip, _nested(b"trak", 400))
    yield "noise", ftyp + chance.randbytes(20_000)
    yield "index-of-noise", ftyp + mdat + box(b"moov", box(b"trak", chance.randbytes(4000)))


def _foreign(clip: bytes, chance: random.Random) -> Named:
    """The beginning of another format, then the clip, then the same with noise."""
    for name, header in _HEADERS.items():
        yield name, header + clip
        yield f"{name}-noise", header + chance.randbytes(3000)


def _disguised(clip: bytes, chance: random.Random) -> Named:
    """Text that has a player open other files, called .mp4, also behind an honest beginning."""
    yield "text", b"Dear reader, this is a letter.\n" * 40
    yield "html", b"<!doctype html><title>not a clip</title>"
    yield from PLAYLISTS.items()
    yield "m3u8-behind-ftyp", clip[:32] + PLAYLISTS["m3u8"] * 20
    yield "m3u8-behind-id3", b"ID3\x04\0\0\0\0\0\0" + PLAYLISTS["m3u8"] * 20
    yield "concat-behind-mp3", b"\xff\xfb\x90\x44" + PLAYLISTS["ffconcat"] * 20


def _bombs(clip: bytes, chance: random.Random) -> Named:
    """Little that wants to become much."""
    empty = zlib.compress(bytes(64 << 20), 9)
    packed = box(b"dcom", b"zlib")
    for claimed in (len(empty), 64 << 20, 0x7FFFFFFF, 0xFFFFFFFF):
        index = box(b"moov", box(b"cmov", packed + box(b"cmvd", struct.pack(">I", claimed) + empty)))
        yield f"packed-index-{claimed}", without(clip, find(clip, b"moov")) + index
    yield "long-title", with_moov(clip, box(b"udta", box(b"\xa9nam", b"A" * (4 << 20))))
    yield "100000-titles", with_moov(clip, box(b"udta", box(b"\xa9nam", b"\0\4\0\0tiny") * 100_000))
    cover = _HEADERS["png"] + struct.pack(">II", 60_000, 60_000) + b"\x08\x06\0\0\0\0\0\0\0"
    data = box(b"data", struct.pack(">II", 14, 0) + cover + empty[:9000])
    handler = box(b"hdlr", b"\0" * 8 + b"mdirappl" + b"\0" * 9)
    metadata = box(b"meta", b"\0" * 4 + handler + box(b"ilst", box(b"covr", data)))
    yield "cover-60000-wide", with_moov(clip, box(b"udta", metadata))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("clip.mp4"), bytes(32 << 20), zipfile.ZIP_DEFLATED)
    yield "zip", zipped.getvalue()
    yield "zip-behind-clip", clip + zipped.getvalue()


def _nested(name: bytes, depth: int) -> bytes:
    """`depth` boxes, one in the other."""
    heads = (struct.pack(">I4s", 8 * (depth - level), name) for level in range(depth))
    return b"".join(heads)


def _steps(clip: bytes, count: int) -> range:
    return range(len(clip) // count, len(clip), len(clip) // count)
