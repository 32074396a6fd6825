"""Bytes out of GIMP's drawables and into them. Needs GIMP's own Python (gi), 3.9 and later.

Masks and the selection are linear: "Y" without the prime, or 128 would be stored as 55.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402 - versions are chosen first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mattebox.gimp_plugin.mattebox import shown, unchanged
    from mattebox.gimp_plugin.mattebox.errors import RefusedError
    from mattebox.gimp_plugin.mattebox.unchanged import LayerState
    from mattebox.gimp_plugin.mattebox.words import _
else:
    import shown
    import unchanged
    from errors import RefusedError
    from unchanged import LayerState
    from words import _

_BAND = 2 << 20  # bytes in one piece: less than what makes every piece new memory
_TILE = 64  # rows of GIMP's tiles
_CACHE = 16 << 20  # bytes of tiles that GEGL may keep
_LOCKS = ("content", "alpha", "position")
_EIGHT_BITS = (Gimp.Precision.U8_LINEAR, Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)


@dataclass(frozen=True)
class LayerView:
    """A layer as the engine sees it: RGB or gray, 8 or 16 bits, with its place on the canvas.

    profile: the image's own ICC profile, empty where it is GIMP's usual sRGB. has_effects: what is shown are
    not the layer's own pixels. has_alpha: whether what is shown may be transparent. source: the drawable
    whose pixels are read; opened() gives a view that reads what is shown. state: what must be as it was when
    the answer comes.
    """

    layer: Any
    image: Any
    source: Any
    width: int
    height: int
    left: int
    top: int
    bits: int
    channels: int
    has_alpha: bool
    has_effects: bool
    profile: bytes
    state: LayerState

    @classmethod
    def of(cls, layer: Any, image: Any, *, with_selection: bool = False) -> LayerView:
        """How a layer is to be read. with_selection: the selection matters too. Raises RefusedError."""
        state = LayerState.of(layer, image, with_selection=with_selection)
        left, top = layer.get_offsets()[-2:]
        profile = image.get_color_profile()
        has_effects = shown.has_effects(layer)
        return cls(
            layer=layer,
            image=image,
            source=layer,
            width=layer.get_width(),
            height=layer.get_height(),
            left=left,
            top=top,
            bits=8 if image.get_precision() in _EIGHT_BITS else 16,
            channels=1 if layer.is_gray() else 3,
            has_alpha=layer.has_alpha() or has_effects,
            has_effects=has_effects,
            profile=profile.get_icc_profile() if profile is not None else b"",
            state=state,
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[LayerView]:
        """A view whose pixels are those that GIMP shows, effects included; it ends with the block.

        Raises RefusedError where the layer is gone: a window may have waited for the engine meanwhile.
        """
        unchanged.require_there(self.layer, self.image)
        if not self.has_effects:
            yield self
            return
        with shown.rendered(self.layer, self.image) as source:
            yield replace(self, source=source)

    @property
    def colour_format(self) -> str:
        """The pixels without alpha, with the values that the image's own profile means."""
        return self._in_own_space("Y'" if self.channels == 1 else "R'G'B'")

    @property
    def full_format(self) -> str:
        """The pixels with alpha where the layer has it."""
        model = "Y'" if self.channels == 1 else "R'G'B'"
        return self._in_own_space(f"{model}A" if self.has_alpha else model)

    def pixels(self) -> Iterable[bytes]:
        """Colours, as the image's profile means them: babl converts nothing but precision."""
        return self._read(self.source, self.colour_format, self.channels)

    def alpha(self) -> Iterable[bytes]:
        """The alpha of what the layer shows."""
        return self._read(self.source, f"A u{self.bits}")

    def mask(self) -> Iterable[bytes]:
        """The layer's mask, linear; it must have one."""
        return self._read(self.layer.get_mask(), f"Y u{self.bits}")

    def selection(self) -> Iterable[bytes]:
        """The part of the selection that lies over the layer; 0 beyond the canvas."""
        place = (self.left, self.top, self.width, self.height)
        return _bands(self.image.get_selection(), place, f"Y u{self.bits}", self.bits // 8)

    def white(self) -> Iterable[bytes]:
        """A mask that hides nothing."""
        return [b"\xff" * (self.width * self.height * self.bits // 8)]

    def new_mask(self, layer: Any, data: bytes) -> Any:
        """A mask with these values, not yet on the layer."""
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        self.write(mask, f"Y u{self.bits}", data)
        return mask

    def new_channel(self, name: str, data: bytes) -> Any:
        """A channel of the canvas' size with these values at the layer's place, 0 around.

        Raises RefusedError where it would be 0 everywhere.
        """
        size = (self.image.get_width(), self.image.get_height())
        channel = Gimp.Channel.new(self.image, name, *size, 50.0, Gegl.Color.new("red"))
        buffer = channel.get_buffer()
        buffer.clear(Gegl.Rectangle.new(0, 0, *size))
        del buffer
        if not self._write_inside(channel, size, data):
            said = _(
                "What was found in the layer “{name}” lies outside of the canvas; nothing was changed. Use "
                "Image > Fit Canvas to Layers, or choose another result."
            )
            raise RefusedError(said.format(name=self.layer.get_name()))
        return channel

    def new_layer(self, colours: bytes) -> Any:
        """A plain layer at this one's place with these colours, visible and not yet in the image.

        It is made anew and takes over how it is blended alone: a copy would keep its source's kind (text,
        group, link, vector), locks and effects.
        """
        kinds = Gimp.ImageType
        if self.channels == 1:
            kind = kinds.GRAYA_IMAGE if self.has_alpha else kinds.GRAY_IMAGE
        else:
            kind = kinds.RGBA_IMAGE if self.has_alpha else kinds.RGB_IMAGE
        layer = self.layer
        name = f"{layer.get_name()} subject"
        mode = layer.get_mode()
        if mode == Gimp.LayerMode.PASS_THROUGH:  # for groups alone
            mode = Gimp.LayerMode.NORMAL
        new = Gimp.Layer.new(self.image, name, self.width, self.height, kind, layer.get_opacity(), mode)
        new.set_blend_space(layer.get_blend_space())
        new.set_composite_space(layer.get_composite_space())
        new.set_composite_mode(layer.get_composite_mode())
        new.set_offsets(self.left, self.top)
        self.write(new, self.full_format, colours)
        return new

    def new_copy(self) -> Any:
        """A copy of the layer, visible, without locks and not yet in the image. Raises RefusedError."""
        copy = self.layer.copy()
        if unchanged.digest(copy) != self.state.pixels:
            said = _(
                "GIMP cannot copy the layer “{name}” as it is; nothing was changed. Unlock it and try again, "
                "or choose another result."
            )
            raise RefusedError(said.format(name=self.layer.get_name()))
        # GIMP 3.2 renders a vector layer anew when it comes into an image, and a locked one as nothing.
        for lock in ("visibility", *_LOCKS):
            getattr(copy, f"set_lock_{lock}")(False)
        copy.set_visible(True)
        copy.set_name(f"{self.layer.get_name()} subject")
        return copy

    def lock(self, copy: Any) -> None:
        """Give a copy that is in the image the layer's locks but that of its visibility.

        Locked alpha decides whether effects are shown.
        """
        for lock in _LOCKS:
            getattr(copy, f"set_lock_{lock}")(getattr(self.layer, f"get_lock_{lock}")())

    def write(self, drawable: Any, form: str, data: bytes) -> None:
        """Write the bytes of this layer's size into a drawable of its size."""
        _set(drawable, (0, 0, self.width, self.height), form, data)

    def _write_inside(self, channel: Any, canvas: tuple[int, int], data: bytes) -> bool:
        """Write what of the layer lies on the canvas, and say whether anything does.

        GIMP ends a plug-in that writes beyond a buffer.
        """
        left, top = max(self.left, 0), max(self.top, 0)
        width = min(self.left + self.width, canvas[0]) - left
        height = min(self.top + self.height, canvas[1]) - top
        if width <= 0 or height <= 0:
            return False
        step = self.bits // 8
        rows = memoryview(data)
        start = left - self.left
        inside = b"".join(
            rows[(row * self.width + start) * step : (row * self.width + start + width) * step]
            for row in range(top - self.top, top - self.top + height)
        )
        # GIMP makes selections of a channel's stored values, and stores those of 8-bit images with a curve.
        curved = self.image.get_precision() == Gimp.Precision.U8_NON_LINEAR
        _set(channel, (left, top, width, height), "Y' u8" if curved else f"Y u{self.bits}", inside)
        return bool(inside.strip(b"\0"))

    def _in_own_space(self, model: str) -> str:
        """The name of a format of this model and depth, in the space of the layer's own values."""
        name = f"{model} u{self.bits}"
        if not self.profile:
            return name
        own: str = Babl.get_name(Babl.format_with_space(name, Babl.format_get_space(self.layer.get_format())))
        return own

    def _read(self, drawable: Any, form: str, channels: int = 1) -> Iterable[bytes]:
        return _bands(drawable, (0, 0, self.width, self.height), form, channels * self.bits // 8)


def limit_tile_cache() -> None:
    """Let GEGL keep few of the tiles, which are read and written once: new memory costs more than both."""
    Gegl.config().set_property("tile-cache-size", _CACHE)


def _bands(drawable: Any, place: tuple[int, int, int, int], form: str, pixel: int) -> Iterator[bytes]:
    """The bytes of a place, some whole rows at a time: that takes half the time of all at once."""
    left, top, width, height = place
    buffer = drawable.get_buffer()
    for start, rows in _steps(height, width * pixel):
        yield buffer.get(Gegl.Rectangle.new(left, top + start, width, rows), 1.0, form, Gegl.AbyssPolicy.NONE)


def _set(drawable: Any, place: tuple[int, int, int, int], form: str, data: bytes) -> None:
    left, top, width, height = place
    row = len(data) // height
    buffer = drawable.get_buffer()
    for start, rows in _steps(height, row):
        place_of_rows = Gegl.Rectangle.new(left, top + start, width, rows)
        buffer.set(place_of_rows, form, data[start * row : (start + rows) * row])
    buffer.flush()
    del buffer
    drawable.update(*place)


def _steps(height: int, row: int) -> Iterator[tuple[int, int]]:
    """First rows and counts of the bands of a picture whose rows have so many bytes."""
    step = max(_BAND // row // _TILE, 1) * _TILE
    for start in range(0, height, step):
        yield start, min(step, height - start)
