"""The most anomalous frames among the windows that were looked at again."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.explain.evidence import SeenWindow
from services.explain.gradcam import Attribution
from services.explain.pictures import box_of, heatmap, overlay
from shared.contracts.jobs import MediaInfo
from shared.contracts.results import AnomalousFrame
from shared.media.windows import FRAMES
from shared.models.windows import FRAME_SIZE

Looked = tuple[SeenWindow, Attribution]


@dataclass(frozen=True)
class Picture:
    """A frame's entry in the result and its two files by name."""

    frame: AnomalousFrame
    files: dict[str, bytes]


def draw_top_frames(looked: Sequence[Looked], info: MediaInfo, top_k: int) -> list[Picture]:
    """The `top_k` frames by p_fake of their window, times the share of the window's strongest map that
    theirs reaches; most anomalous first, ties in order of time."""
    ranked = []
    for seen, attribution in looked:
        if seen.frames is None or attribution.maps is None or attribution.energy is None:
            continue
        peak = float(attribution.energy.max())
        for number in range(min(FRAMES, len(seen.frames))):
            share = float(attribution.energy[number]) / peak if peak > 0 else 0.0
            order = (-seen.evidence.p_fake * share, seen.evidence.window_index, number)
            ranked.append((order, seen, attribution))
    ranked.sort(key=lambda entry: entry[0])
    return [_draw(seen, attribution, order[2], info) for order, seen, attribution in ranked[:top_k]]


def _draw(seen: SeenWindow, attribution: Attribution, number: int, info: MediaInfo) -> Picture:
    if seen.frames is None or seen.transforms is None or attribution.maps is None:
        raise ValueError("a ranked frame has its picture and its map")
    frame_id = seen.evidence.window_index * FRAMES + number
    pixels, transform, cam = seen.frames[number], seen.transforms[number], attribution.maps[number]
    names = f"frame-{frame_id:06d}-heatmap.png", f"frame-{frame_id:06d}-overlay.png"
    entry = AnomalousFrame(
        frame_id=frame_id, timestamp=round(frame_id / FRAMES, 4), confidence=seen.evidence.p_fake,
        heatmap=names[0], overlay=names[1],
        box=box_of(transform, FRAME_SIZE, (info.width or pixels.shape[1]) / pixels.shape[1]),
    )
    return Picture(entry, {names[0]: heatmap(cam), names[1]: overlay(pixels, cam, transform)})
