"""The picture with its matte on a chosen ground, as a window's pixels. GdkPixbuf alone, without cairo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, GLib  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.prompts import Said, Viewport
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from words import _

# Grounds by name: two colours of a chequer, or None for the picture itself, dimmed.
GROUNDS = {
    "checks": (0x999999, 0x666666),
    "white": (0xFFFFFF, 0xFFFFFF),
    "black": (0x000000, 0x000000),
    "magenta": (0xFF00FF, 0xFF00FF),
    "green": (0x00B140, 0x00B140),
    "dimmed": None,
}
COLOURS = {"in": (40, 200, 90), "out": (230, 60, 50), "unsure": (245, 190, 40)}
CHECK = 12
DIMMED = 90
_AROUND = 0x404040FF
_LARGEST = 400  # pixels of a dab that is drawn


def ground_labels() -> dict[str, str]:
    """What stands behind the subject, in words."""
    return {
        "checks": _("Chequers"),
        "white": _("White"),
        "black": _("Black"),
        "magenta": _("Magenta"),
        "green": _("Green"),
        "dimmed": _("The picture, dimmed"),
    }


class Stage:
    """The layer's preview, and what is shown of it."""

    def __init__(self, layer: tuple[int, int], size: tuple[int, int], picture: bytes) -> None:
        """`layer` is the layer's own size, `size` that of the preview `picture`, RGB bytes."""
        self.layer, self._size = layer, size
        self._picture = _pixbuf(picture, size, alpha=False)
        self._masked = bytearray(b"\xff") * (4 * size[0] * size[1])
        for channel in range(3):
            self._masked[channel::4] = picture[channel::3]
        self._subject: Any = None
        self._dabs: dict[Any, Any] = {}

    def show(self, mask: bytes) -> None:
        """Take the matte of the preview's size."""
        self._masked[3::4] = mask
        self._subject = _pixbuf(bytes(self._masked), self._size, alpha=True)

    def drawn(self, window: tuple[int, int], view: Viewport, ground: str, said: Said, marks: bool) -> Any:
        """The window's pixels."""
        sheet = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, *window)
        sheet.fill(_AROUND)
        place = self._place(window, view)
        if place is not None:
            colours = GROUNDS[ground]
            if colours is None or self._subject is None:
                self._put(sheet, self._picture, place, view, (DIMMED if self._subject else 255, (0, 0)))
                if self._subject is not None:
                    self._lay(sheet, place, view)
            else:
                self._put(sheet, self._subject, place, view, (255, colours))
        if marks:
            for word, value in said.words:
                self._mark(sheet, view, word, value)
        return sheet

    def frame(self, sheet: Any, view: Viewport, box: Any) -> None:
        """Draw a box's outline."""
        left, top = view.shown(box[0], box[1])
        right, bottom = view.shown(box[2], box[3])
        for edges in (
            (left, top, right, top + 2),
            (left, bottom - 2, right, bottom),
            (left, top, left + 2, bottom),
            (right - 2, top, right, bottom),
        ):
            x, y = max(0, int(edges[0])), max(0, int(edges[1]))
            width = min(sheet.get_width(), int(edges[2])) - x
            height = min(sheet.get_height(), int(edges[3])) - y
            if width > 0 and height > 0:
                sheet.new_subpixbuf(x, y, width, height).fill(0x28C85AFF)

    def _mark(self, sheet: Any, view: Viewport, word: str, value: Any) -> None:
        if word == "click":
            self._dab(sheet, view.shown(value[0], value[1]), 11, "in" if value[2] else "out", 255)
        elif word == "box":
            self.frame(sheet, view, value)
        else:
            self.stroke(sheet, view, value)

    def stroke(self, sheet: Any, view: Viewport, value: dict[str, Any]) -> None:
        """Draw a stroke as dabs that lie a third of the brush apart."""
        size = min(max(3, round(value["size"] * view.scale)), _LARGEST)
        last = None
        for x, y in value["points"]:
            place = view.shown(x, y)
            steps = 1
            if last is not None:
                far = max(abs(place[0] - last[0]), abs(place[1] - last[1]))
                steps = max(1, int(3 * far / size))
            for step in range(1, steps + 1):
                share = step / steps
                begin = place if last is None else last
                at = (begin[0] + (place[0] - begin[0]) * share, begin[1] + (place[1] - begin[1]) * share)
                self._dab(sheet, at, size, value["say"], 70)
            last = place

    def _dab(self, sheet: Any, at: tuple[float, float], size: int, say: str, alpha: int) -> None:
        x, y = at
        key = (size, say)
        if key not in self._dabs:
            self._dabs[key] = _disc(size, COLOURS[say])
        left, top = int(x - size / 2), int(y - size / 2)
        begin_x, begin_y = max(left, 0), max(top, 0)
        width = min(left + size, sheet.get_width()) - begin_x
        height = min(top + size, sheet.get_height()) - begin_y
        if width > 0 and height > 0:
            nearest = GdkPixbuf.InterpType.NEAREST
            self._dabs[key].composite(
                sheet, begin_x, begin_y, width, height, left, top, 1.0, 1.0, nearest, alpha
            )

    def _place(self, window: tuple[int, int], view: Viewport) -> tuple[int, int, int, int] | None:
        """The part of the window that the layer covers."""
        left, top = max(0, int(view.left)), max(0, int(view.top))
        right = min(window[0], int(view.left + self.layer[0] * view.scale))
        bottom = min(window[1], int(view.top + self.layer[1] * view.scale))
        return (left, top, right - left, bottom - top) if right > left and bottom > top else None

    def _scales(self, view: Viewport) -> tuple[float, float]:
        return self.layer[0] / self._size[0] * view.scale, self.layer[1] / self._size[1] * view.scale

    def _put(self, sheet: Any, source: Any, place: Any, view: Viewport, ground: Any) -> None:
        alpha, colours = ground
        source.composite_color(
            sheet,
            *place,
            view.left,
            view.top,
            *self._scales(view),
            GdkPixbuf.InterpType.BILINEAR,
            alpha,
            0,
            0,
            CHECK,
            *colours,
        )

    def _lay(self, sheet: Any, place: Any, view: Viewport) -> None:
        bilinear = GdkPixbuf.InterpType.BILINEAR
        self._subject.composite(sheet, *place, view.left, view.top, *self._scales(view), bilinear, 255)


def _pixbuf(data: bytes, size: tuple[int, int], alpha: bool) -> Any:
    row = size[0] * (4 if alpha else 3)
    colours = GdkPixbuf.Colorspace.RGB
    return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(data), colours, alpha, 8, *size, row)


def _disc(size: int, colour: tuple[int, int, int]) -> Any:
    radius = size / 2
    data = bytearray()
    for y in range(size):
        for x in range(size):
            far = ((x + 0.5 - radius) ** 2 + (y + 0.5 - radius) ** 2) ** 0.5
            rim = size <= 11 and far > radius - 2
            data += bytes((255, 255, 255) if rim else colour)
            data.append(round(255 * min(1.0, max(0.0, radius - far + 0.5))))
    return _pixbuf(bytes(data), (size, size), alpha=True)
