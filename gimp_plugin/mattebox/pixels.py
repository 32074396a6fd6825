"""Bytes out of GIMP's drawables and into them. Needs GIMP's own Python (gi), 3.9 and later.

Masks and the selection are linear: "Y" without the prime, or 128 would be stored as 55.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp  # noqa: E402 - versions are chosen first

_EIGHT_BITS = (Gimp.Precision.U8_LINEAR, Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)


@dataclass(frozen=True)
class Sight:
    """A layer as the engine sees it: sRGB or gray, 8 or 16 bits, with its place on the canvas."""

    layer: Any
    image: Any
    width: int
    height: int
    left: int
    top: int
    bits: int
    channels: int
    has_alpha: bool

    @classmethod
    def of(cls, layer: Any, image: Any) -> Sight:
        """How a layer is to be read."""
        left, top = layer.get_offsets()[-2:]
        return cls(
            layer=layer,
            image=image,
            width=layer.get_width(),
            height=layer.get_height(),
            left=left,
            top=top,
            bits=8 if image.get_precision() in _EIGHT_BITS else 16,
            channels=1 if layer.is_gray() else 3,
            has_alpha=layer.has_alpha(),
        )

    @property
    def colour_format(self) -> str:
        """The pixels without alpha."""
        return f"{'Y' if self.channels == 1 else 'RGB'} u{self.bits}".replace("RGB", "R'G'B'").replace(
            "Y ", "Y' "
        )

    @property
    def full_format(self) -> str:
        """The pixels with alpha where the layer has it."""
        name, depth = self.colour_format.split(" ")
        return f"{name}A {depth}" if self.has_alpha else self.colour_format

    def pixels(self) -> bytes:
        """Colours, converted to sRGB where the image has another profile: what the networks want."""
        return self._read(self.layer, self.colour_format)

    def alpha(self) -> bytes:
        """The layer's own alpha."""
        return self._read(self.layer, f"A u{self.bits}")

    def mask(self) -> bytes:
        """The layer's mask, linear; it must have one."""
        return self._read(self.layer.get_mask(), f"Y u{self.bits}")

    def selection(self) -> bytes:
        """The part of the selection that lies over the layer; 0 beyond the canvas."""
        place = Gegl.Rectangle.new(self.left, self.top, self.width, self.height)
        return _bytes(self.image.get_selection(), place, f"Y u{self.bits}")

    def white(self) -> bytes:
        """A mask that hides nothing."""
        return b"\xff" * (self.width * self.height * self.bits // 8)

    def new_mask(self, layer: Any, data: bytes) -> Any:
        """A mask with these values, not yet on the layer."""
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        self.write(mask, f"Y u{self.bits}", data)
        return mask

    def new_channel(self, name: str, data: bytes) -> Any:
        """A channel of the canvas' size with these values at the layer's place, 0 around."""
        size = (self.image.get_width(), self.image.get_height())
        channel = Gimp.Channel.new(self.image, name, *size, 50.0, Gegl.Color.new("red"))
        buffer = channel.get_buffer()
        buffer.clear(Gegl.Rectangle.new(0, 0, *size))
        del buffer
        self._write_inside(channel, size, data)
        return channel

    def new_layer(self, colours: bytes) -> Any:
        """A layer like this one with other colours, not yet in the image; it may still have its mask."""
        if self.layer.is_group() or self.layer.is_text_layer():
            kinds = Gimp.ImageType
            kind = (kinds.GRAYA_IMAGE if self.channels == 1 else kinds.RGBA_IMAGE) if self.has_alpha else None
            if kind is None:
                kind = kinds.GRAY_IMAGE if self.channels == 1 else kinds.RGB_IMAGE
            new = Gimp.Layer.new(
                self.image, "", self.width, self.height, kind, self.layer.get_opacity(), self.layer.get_mode()
            )
            new.set_offsets(self.left, self.top)
        else:
            new = self.layer.copy()
        new.set_name(f"{self.layer.get_name()} subject")
        self.write(new, self.full_format, colours)
        return new

    def write(self, drawable: Any, form: str, data: bytes) -> None:
        """Write the bytes of this layer's size into a drawable of its size."""
        _set(drawable, (0, 0, self.width, self.height), form, data)

    def _write_inside(self, channel: Any, canvas: tuple[int, int], data: bytes) -> None:
        """Write what of the layer lies on the canvas: GIMP ends a plug-in that writes beyond a buffer."""
        left, top = max(self.left, 0), max(self.top, 0)
        width = min(self.left + self.width, canvas[0]) - left
        height = min(self.top + self.height, canvas[1]) - top
        if width <= 0 or height <= 0:
            return
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

    def _read(self, drawable: Any, form: str) -> bytes:
        return _bytes(drawable, Gegl.Rectangle.new(0, 0, self.width, self.height), form)


def _set(drawable: Any, place: tuple[int, int, int, int], form: str, data: bytes) -> None:
    buffer = drawable.get_buffer()
    buffer.set(Gegl.Rectangle.new(*place), form, data)
    buffer.flush()
    del buffer
    drawable.update(*place)


def _bytes(drawable: Any, place: Any, form: str) -> bytes:
    data: bytes = drawable.get_buffer().get(place, 1.0, form, Gegl.AbyssPolicy.NONE)
    return data
