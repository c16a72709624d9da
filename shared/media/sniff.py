"""What a file is by its first bytes. Needs no decoder, so the door can ask it too."""

import re

from shared.contracts.outcomes import BadMedia

HEAD_BYTES = 4096
_IMAGE_BRANDS = (b"heic", b"heix", b"heif", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PLAYLIST = re.compile(
    rb"\s*(?:#EXTM3U|ffconcat\s|\[playlist\]|<\?(?:xml|wpl|zpl)|<(?:MPD|smil|asx|playlist|wpl)\b|\[Reference\]"
    rb"|v=0\r?$|rtsptext|RTSPtext|(?:https?|rtsp|rtmp|file|concat|subfile|data):"
    rb"|file\s+['\"\w/.])",
    re.IGNORECASE,
)


def sniff(first_bytes: bytes) -> str:
    """The container: mp4 mov m4a webm mkv avi mpeg mpegts ogg wav flac mp3 or aac.

    `first_bytes` are the first `HEAD_BYTES` of the file, or all. Raises `BadMedia` (empty_file,
    playlist_refused, unsupported_media). What it says is still to be proved by `probe`.
    """
    if not first_bytes:
        raise BadMedia("empty_file")
    for found in (_boxes, _by_prefix, _transport_stream, _raw_audio):
        name = found(first_bytes)
        if name:
            return name
    text = first_bytes.removeprefix(b"\xef\xbb\xbf")
    if b"\0" not in text and any(_PLAYLIST.match(line) for line in text.split(b"\n")):
        raise BadMedia("playlist_refused")
    raise BadMedia("unsupported_media")


def _boxes(head: bytes) -> str:
    """MP4 and its kin: a size, then the name of the first box."""
    name = head[4:8]
    if name == b"ftyp":
        brand = head[8:12]
        if brand in _IMAGE_BRANDS:
            return ""
        if brand == b"qt  ":
            return "mov"
        return "m4a" if brand in (b"M4A ", b"M4B ") else "mp4"
    if name in _QUICKTIME_ATOMS and head[:4] != b"RIFF":
        return "mov"
    return "mp4" if name in (b"styp", b"moof", b"sidx") else ""


def _by_prefix(head: bytes) -> str:
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        if b"webm" in head[:64]:
            return "webm"
        return "mkv" if b"matroska" in head[:64] else ""
    if head[:4] in (b"RIFF", b"RF64"):
        return {b"AVI ": "avi", b"WAVE": "wav"}.get(head[8:12], "")
    if head.startswith(b"\x00\x00\x01\xba"):
        return "mpeg"
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(b"fLaC"):
        return "flac"
    return "mp3" if head.startswith(b"ID3") else ""


def _transport_stream(head: bytes) -> str:
    """Sync bytes every 188 bytes, at least three or as many as there are."""
    places = range(0, min(len(head), 188 * 5), 188)
    return "mpegts" if len(places) >= 3 and all(head[place] == 0x47 for place in places) else ""


def _raw_audio(head: bytes) -> str:
    """MPEG audio or ADTS frames: a sync word and fields that are not reserved."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return ""
    if head[1] & 0xF6 == 0xF0:
        return "aac" if head[2] >> 2 & 0xF < 13 else ""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return "mp3" if version != 1 and layer != 0 and bitrate not in (0, 15) and rate != 3 else ""
