"""A strict reader of PSD and PSB, written from the public specification alone: no library reads with it.

    found = inspect(path)
    found.faults     sentences; none in a file that keeps to the specification
    found.layers     from the bottom up, with decoded channels; found.merged: the planes of the picture

Source: Adobe Photoshop File Formats Specification, and what Photoshop's own files carry where its one
line says less (resource 2999: six bytes behind the name).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.core.write.psd.bytewise import Cursor, samples, unicode_text
from tests.core.write.psd.resource_rules import check_resource

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {0: 1, 1: 1, 2: 1, 3: 3, 4: 4, 7: 0, 8: 1, 9: 3}
BLENDS = frozenset(
    b"pass norm diss dark mul  idiv lbrn dkCl lite scrn div  lddg lgCl over sLit hLit vLit lLit pLit hMix "
    b"diff smud fsub fdiv hue  sat  colr lum ".decode()[i * 5 : i * 5 + 4].encode()
    for i in range(28)
)
WIDE = frozenset(
    b"LMsk Lr16 Lr32 Layr Mt16 Mt32 Mtrn Alph FMsk lnk2 lnk3 lnkE FEid FXid FELS PxSD cinf".split()
)
SIGNATURES = frozenset({b"8BIM", b"8B64"})


@dataclass(slots=True, eq=False)
class FoundLayer:
    """A layer as the file says it; boxes are left, top, right, bottom."""

    name: str
    box: tuple[int, int, int, int]
    blend: bytes
    opacity: int
    clipped: bool
    visible: bool
    flags: int
    tags: dict[bytes, bytes]
    channels: dict[int, np.ndarray[Any, Any]] = field(default_factory=dict)
    mask_box: tuple[int, int, int, int] | None = None
    real_mask_box: tuple[int, int, int, int] | None = None
    mask_outside: int = 0
    mask_flags: int = 0

    @property
    def divider(self) -> int:
        """1 or 2 a group's head, 3 its end, 0 none of them."""
        data = self.tags.get(b"lsct") or self.tags.get(b"lsdk")
        return int.from_bytes(data[:4], "big") if data else 0

    @property
    def group_blend(self) -> bytes:
        """The blend mode of a group's head: its divider's, where that says one."""
        data = self.tags.get(b"lsct") or self.tags.get(b"lsdk") or b""
        return data[8:12] if len(data) >= 12 else self.blend


@dataclass(slots=True, eq=False)
class Found:
    """All that was found in one file."""

    faults: list[str] = field(default_factory=list)
    version: int = 1
    channels: int = 0
    width: int = 0
    height: int = 0
    depth: int = 8
    mode: int = 3
    resources: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    blocks: list[bytes] = field(default_factory=list)
    transparent: bool = False
    layers: list[FoundLayer] = field(default_factory=list)
    merged: list[np.ndarray[Any, Any]] = field(default_factory=list)

    def say(self, good: object, sentence: str) -> None:
        """Note a fault where something is not good."""
        if not good:
            self.faults.append(sentence)


def inspect(path: Path) -> Found:
    """Read a whole file and collect every departure from the specification."""
    found = Found()
    try:
        _file(Cursor(path.read_bytes()), found)
    except (ValueError, struct.error, zlib.error) as error:
        found.faults.append(f"cannot be read on: {error}")
    return found


def _file(data: Cursor, found: Found) -> None:
    head = struct.unpack(">4sH6sHIIHH", data.take(26))
    signature, found.version, reserved, found.channels, found.height, found.width, found.depth, found.mode = (
        head
    )
    side = 30_000 if found.version == 1 else 300_000
    found.say(signature == b"8BPS" and found.version in {1, 2} and not any(reserved), "header")
    found.say(1 <= found.channels <= 56, f"{found.channels} channels")
    found.say(1 <= found.height <= side and 1 <= found.width <= side, "size")
    if found.depth not in {1, 8, 16, 32} or found.mode not in COLOURS:
        raise ValueError("an unknown depth or mode")
    modes = data.take(data.number(4))
    if found.mode == 2:
        found.say(len(modes) == 768, "an indexed picture has 768 bytes of colours")
    elif found.mode != 8 and found.depth != 32:
        found.say(not modes, "colour mode data in a mode that has none")
    _resources(data.part(data.number(4)), found)
    _layer_section(data.part(data.number(4 * found.version)), found)
    found.say(found.channels >= COLOURS[found.mode] + found.transparent, "too few merged channels")
    compression = data.number(2)
    count = found.channels * found.height
    found.merged = list(
        samples(data, compression, (found.width, count), depth=found.depth, version=found.version).reshape(
            found.channels, found.height, -1
        )
    )
    found.say(not data.left, f"{data.left} bytes behind the merged picture")


def _resources(data: Cursor, found: Found) -> None:
    while data.left:
        signature, key = data.take(4), data.number(2)
        found.say(signature in {b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"}, f"resource {key}: signature")
        name = data.take(data.number(1))
        if not len(name) % 2:
            found.say(data.take(1) == b"\0", f"resource {key}: the name's padding")
        size = data.number(4)
        content = data.take(size)
        if size % 2:
            found.say(data.take(1) == b"\0", f"resource {key}: padding")
        found.say(key not in found.resources, f"resource {key}: twice")
        found.resources[key] = (name, content)
    for key, (name, content) in found.resources.items():
        try:
            check_resource(key, name, Cursor(content), found)
        except ValueError as error:
            found.faults.append(f"resource {key}: {error}")


def _layer_section(data: Cursor, found: Found) -> None:
    if not data.left:
        return
    size = 4 * found.version
    front = data.part(data.number(size))
    if front.left:
        _layers(front, found, in_front=True)
    if not data.left:
        return
    _global_mask(data.part(data.number(4)), found)
    while data.left:
        if data.left < 4:  # Photoshop fills the section up to four bytes
            found.say(not any(data.take(data.left)), "the layer section's padding")
            break
        signature, key = data.take(4), data.take(4)
        if signature not in SIGNATURES:
            raise ValueError(f"no block, {signature!r}, in the layer section")
        wide = found.version == 2 and (signature == b"8B64" or key in WIDE)
        length = data.number(8 if wide else 4)
        block = data.part(length)
        found.say(key not in found.blocks, f"block {key!r} twice")
        found.blocks.append(key)
        if key in {b"Lr16", b"Lr32"}:
            found.say(found.depth == int(key[2:]), f"{key!r} in {found.depth} bits")
            _layers(block, found, in_front=False)
        elif key in {b"Mt16", b"Mtrn", b"Mt32"}:
            found.say(not length, f"{key!r} has no content")
        data.take(min(-length % 4, data.left))


def _global_mask(data: Cursor, found: Found) -> None:
    if data.left:
        found.say(data.left >= 13, f"global mask information of {data.left} bytes")
        data.take(data.left)


def _layers(data: Cursor, found: Found, *, in_front: bool) -> None:
    found.say(not (in_front and data.left % 2), "the layers' length is odd")
    count = int.from_bytes(data.take(2), "big", signed=True)
    found.transparent = count < 0
    records = [_record(data, found) for _ in range(abs(count))]
    for layer, channels in records:
        for number, length in channels:
            box = {-2: layer.mask_box, -3: layer.real_mask_box or layer.mask_box}.get(number, layer.box)
            layer.channels[number] = _channel(data, found, layer, number, length, box)
    found.say(data.left <= 3, f"{data.left} unused bytes behind the layers")
    found.say(not any(data.take(data.left)), "what is unused behind the layers is not 0")
    found.layers = [layer for layer, _ in records]
    _whole_document(found)


def _whole_document(found: Found) -> None:
    depth = 0
    for layer in found.layers:
        depth += {3: 1, 1: -1, 2: -1}.get(layer.divider, 0)
        found.say(depth >= 0, f"'{layer.name}': a group without an end")
    found.say(not depth, "a group without a head")
    if found.layers:
        found.say(not found.layers[0].clipped, "the lowest layer is clipped to nothing")
    ids = [layer.tags[b"lyid"] for layer in found.layers if b"lyid" in layer.tags]
    found.say(len(ids) == len(set(ids)), "a layer's id twice")
    for layer in found.layers[1:]:
        found.say(
            layer.divider or -1 in layer.channels,
            f"'{layer.name}' has no transparency and is not the lowest",
        )


def _box(data: Cursor) -> tuple[int, int, int, int]:
    top, left, bottom, right = struct.unpack(">iiii", data.take(16))
    return left, top, right, bottom


def _record(data: Cursor, found: Found) -> tuple[FoundLayer, list[tuple[int, int]]]:
    box = _box(data)
    size = 4 * found.version
    channels = [
        (int.from_bytes(data.take(2), "big", signed=True), data.number(size)) for _ in range(data.number(2))
    ]
    signature, blend = data.take(4), data.take(4)
    opacity, clipping, flags, filler = data.take(4)
    extra = data.part(data.number(4))
    layer = FoundLayer("", box, blend, opacity, bool(clipping), not flags & 2, flags, {})
    _mask_data(extra.part(extra.number(4)), layer, found)
    ranges = extra.take(extra.number(4))
    start = extra.at
    pascal = extra.take(extra.number(1))
    padding = extra.take((start - extra.at) % 4)
    _blocks(extra, layer, found)
    text = layer.tags.get(b"luni")
    layer.name = _layer_name(text, found) if text else pascal.decode("mac_roman")
    said = f"'{layer.name}'"
    numbers = [number for number, _ in channels]
    found.say(signature == b"8BIM" and blend in BLENDS, f"{said}: blend mode {blend!r}")
    found.say(clipping in {0, 1} and not filler, f"{said}: clipping or filler")
    found.say(len(set(numbers)) == len(numbers), f"{said}: a channel twice")
    found.say(set(range(COLOURS[found.mode])) <= set(numbers), f"{said}: a colour is missing")
    found.say(min(numbers, default=0) >= -3, f"{said}: channels {numbers}")
    found.say(box[0] <= box[2] and box[1] <= box[3], f"{said}: rectangle {box}")
    found.say((-2 in numbers) <= (layer.mask_box is not None), f"{said}: a mask without its rectangle")
    found.say(len(ranges) % 8 == 0, f"{said}: blending ranges of {len(ranges)} bytes")
    found.say(not any(padding), f"{said}: the name's padding")
    return layer, channels


def _layer_name(text: bytes, found: Found) -> str:
    data = Cursor(text)
    name = unicode_text(data)
    units = len(name.encode("utf-16-be")) // 2
    found.say(units <= 256, f"a layer's name of {units} UTF-16 units")
    found.say(data.left <= 3 and not any(data.take(data.left)), f"'{name}': bytes behind the name")
    return name.rstrip("\0")


def _mask_data(data: Cursor, layer: FoundLayer, found: Found) -> None:
    if not data.left:
        return
    whole = data.left
    layer.mask_box = _box(data)
    left, top, right, bottom = layer.mask_box
    layer.mask_outside, layer.mask_flags = data.take(2)
    found.say(left <= right and top <= bottom, f"a mask's rectangle {layer.mask_box}")
    found.say(layer.mask_outside in {0, 255}, f"outside a mask is {layer.mask_outside}")
    if whole == 20:
        found.say(not any(data.take(2)), "a mask's padding")
        return
    if whole >= 36:
        data.take(2)
        layer.real_mask_box = _box(data)
    if layer.mask_flags & 16:
        parameters = data.number(1)
        data.take(sum(width for bit, width in enumerate((1, 8, 1, 8)) if parameters & 1 << bit))
    found.say(data.left <= 3, f"a mask's description of {whole} bytes")


def _blocks(data: Cursor, layer: FoundLayer, found: Found) -> None:
    while data.left:
        if data.left < 12:
            found.say(not any(data.take(data.left)), "what follows a layer's blocks is not 0")
            return
        signature, key = data.take(4), data.take(4)
        if signature not in SIGNATURES:
            raise ValueError(f"no block, {signature!r}, in a layer's record")
        wide = found.version == 2 and (signature == b"8B64" or key in WIDE)
        length = data.number(8 if wide else 4)
        layer.tags[key] = data.take(length)
        if length % 2 and data.left:
            data.take(1)
            found.say(False, f"block {key!r}: its length {length} is odd")


def _channel(
    data: Cursor,
    found: Found,
    layer: FoundLayer,
    number: int,
    length: int,
    box: tuple[int, int, int, int] | None,
) -> np.ndarray[Any, Any]:
    part = data.part(length)
    width, height = (box[2] - box[0], box[3] - box[1]) if box else (0, 0)
    what = f"'{layer.name}', channel {number}"
    compression = part.number(2)
    if not width or not height:
        found.say(not any(part.take(part.left)), f"{what}: samples where there are none")
        return np.zeros((height, width), np.uint8)
    try:
        found_samples = samples(part, compression, (width, height), depth=found.depth, version=found.version)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"{what}: {error}") from error
    found.say(not part.left, f"{what}: {part.left} bytes too many")
    return found_samples
