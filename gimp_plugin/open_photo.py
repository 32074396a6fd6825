"""An open photo: looked at once by the networks, then asked again and again by one plug-in's window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.errors import MatteboxError
from mattebox.core.matte.edges import EdgeChoices, with_edges
from mattebox.core.segment.prompt.prompts import Click, Prompts, Strokes
from mattebox.core.segment.view import network_view, small_copy
from mattebox.core.session import Session, open_session
from mattebox.gimp_plugin.cut import divided, settings_of
from mattebox.gimp_plugin.mattebox.point_request import SAYS
from mattebox.gimp_plugin.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mattebox.core.cutout import Cutout
    from mattebox.core.engine import Engine
    from mattebox.core.photo import Pixels
    from mattebox.gimp_plugin.mattebox.point_request import PointRequest
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest

# A preview is shown, and refined quickly, at so many pixels a side at the most.
PREVIEW: Final = 1024


class TooManyPhotosError(MatteboxError):
    """As many photos are open as the host's memory is meant for."""


class OpenPhoto:
    """One layer and what networks know of it; mattes of the last prompts are kept, at both sizes."""

    def __init__(
        self,
        request: CutRequest,
        blobs: Sequence[bytes | memoryview],
        engine: Engine,
        on_step: Callable[[str], None],
        *,
        pointing: bool = True,
        fetch: bool = True,
    ) -> None:
        """Networks look at the layer here, and at no other time. Raises what Engine.segmenter() raises.

        pointing: whether the network that answers clicks looks at it too. fetch: whether it may be fetched
        where it is missing.

        A mask that is sent as rough is the former matte that all prompts go on from.
        """
        settings = settings_of(request).model_copy(update={"decontaminate": False})
        sent = Sent.of(request, blobs)
        photo, mask = sent.photo, sent.mask
        self.request = request
        if pointing:
            self._full = open_session(engine, photo, settings, fetch=fetch, on_step=on_step)
        else:
            self._full = Session(engine.segment_salient(photo, settings, on_step=on_step), None)
        self._former = None
        if mask is not None and request.rough:
            self._former = mask.astype(np.float32) / np.float32(np.iinfo(mask.dtype).max)
        self._preview, self._small_former = self._previewing()
        self._known: dict[bool, tuple[tuple[Any, ...], Cutout]] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the preview."""
        photo = self._preview.segmented.photo
        return photo.width, photo.height

    def picture(self) -> memoryview:
        """The preview's picture, (h, w, 3) uint8 sRGB."""
        return network_view(self._preview.segmented.photo, own_alpha=False).data.cast("B")

    def matte(
        self, asked: PointRequest, on_step: Callable[[str], None]
    ) -> tuple[dict[str, Any], list[memoryview]]:
        """The report and the bytes of the mask, of the preview or in full, and of the product.

        Raises MatteboxError children.

        Prompts that were the last ones of this size are not answered again: only their edges change.
        """
        said = (asked.clicks, asked.box, asked.strokes)
        known = self._known.get(asked.full)
        again = known is not None and known[0] == said
        if known is None or not again:
            session = self._full if asked.full else self._preview
            known = said, session.cut(self._prompts(asked), on_step)
            self._known[asked.full] = known
        cutout = known[1]
        choices = EdgeChoices(**asked.edges)
        alpha = with_edges(cutout.alpha, choices if asked.full else choices.scaled(self._share))
        masks = [alpha]
        if asked.full:
            own = cutout.photo.alpha
            if self.request.product:
                masks.append(alpha)
            if own is not None and not self.request.apply_alpha:
                masks[0] = divided(alpha, own)
        elif alpha.dtype == np.uint16:
            masks = [(alpha >> 8).astype(np.uint8)]
        report = cutout.report
        return {
            "confidence": report.confidence,
            "warnings": list(report.warnings),
            "notes": list(report.notes),
            "box": None if report.subject_box is None else list(report.subject_box),
            "again": again,
            "empty": "no_subject" in report.warnings,
        }, [np.ascontiguousarray(mask).data.cast("B") for mask in masks]

    @property
    def _share(self) -> float:
        return self.size[0] / self.request.width

    def _previewing(self) -> tuple[Session, NDArray[np.float32] | None]:
        """A session on a copy of the photo, of the same networks' answers."""
        segmented = self._full.segmented
        photo = segmented.photo
        pixels = small_copy(photo, PREVIEW)
        size = (pixels.shape[1], pixels.shape[0])
        alpha: Any = photo.alpha
        if alpha is not None:
            alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        small = replace(photo, pixels=pixels.reshape(*size[::-1], -1), alpha=alpha)
        settings = segmented.settings.model_copy(update={"quality": "fast"})
        copied = replace(segmented, photo=small, settings=settings)
        former: Any = self._former
        if former is not None:
            former = cv2.resize(former, size, interpolation=cv2.INTER_AREA)
        return self._full.on(copied), former

    def _prompts(self, asked: PointRequest) -> Prompts:
        """What was said, in pixels of the photo that is asked about; places beyond it are at its edge."""
        photo = (self._full if asked.full else self._preview).segmented.photo
        share = photo.width / self.request.width
        clicks = tuple(
            Click(_within(x * share, photo.width), _within(y * share, photo.height), inside)
            for x, y, inside in asked.clicks
        )
        box = None
        if asked.box is not None:
            left, top, right, bottom = (edge * share for edge in asked.box)
            box = (
                min(max(left, 0.0), photo.width - 1.0),
                min(max(top, 0.0), photo.height - 1.0),
                min(max(right, 1.0), float(photo.width)),
                min(max(bottom, 1.0), float(photo.height)),
            )
        strokes = _drawn(asked.strokes, (photo.height, photo.width), share) if asked.strokes else None
        return Prompts(clicks, box, strokes, self._former if asked.full else self._small_former)


def with_request_edges(request: CutRequest, mask: memoryview) -> memoryview:
    """A finished mask's bytes with its edge as the request chooses it."""
    if not request.edges:
        return mask
    kind = np.uint8 if request.bits == 8 else np.uint16
    alpha: Any = np.frombuffer(mask, kind).reshape(request.height, request.width)
    return np.ascontiguousarray(with_edges(alpha, EdgeChoices(**request.edges))).data.cast("B")


def _within(place: float, side: int) -> float:
    return min(max(place, 0.0), side - 1.0)


def _drawn(strokes: list[dict[str, Any]], shape: tuple[int, int], share: float) -> Strokes:
    """Strokes as masks (h, w); a later one lies over those before it."""
    sheet: Pixels = np.zeros(shape, np.uint8)
    for stroke in strokes:
        points = np.rint(np.asarray(stroke["points"], np.float64) * share).astype(np.int32)
        value = 1 + SAYS.index(stroke["say"])
        width = min(max(1, round(stroke["size"] * share)), 32_767)
        cv2.polylines(sheet, [points.reshape(-1, 1, 2)], False, value, width)
        for x, y in points[[0, -1]]:
            cv2.circle(sheet, (int(x), int(y)), width // 2, value, cv2.FILLED)
    return Strokes(*(np.asarray(sheet == value) for value in (1, 2, 3)))
