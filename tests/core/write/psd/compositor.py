"""A compositor of the tests' own, in floating point, for what the validator has read.

Sources: Porter and Duff 1984, "over"; PDF 1.7, 11.3.5 (multiply) and 11.4 (groups). Colours are the values
that the file stores, so that inks are light.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.core.write.psd.validator import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.write.psd.validator import Found, FoundLayer

    Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(slots=True, eq=False)
class Group:
    """A group's head and what lies in it, from the bottom up."""

    head: FoundLayer | None = None
    children: list[FoundLayer | Group] = field(default_factory=list)


def merged(found: Found) -> tuple[Array, Array]:
    """The picture (c, h, w) on white and its opacity (h, w), 0 to 1, that the layers of a file show."""
    colours = np.ones((COLOURS[found.mode], found.height, found.width))
    alpha = np.zeros((found.height, found.width))
    colours, alpha = _onto(colours, alpha, _tree(found.layers).children, found)
    return colours * alpha + 1 - alpha, alpha


def stored(found: Found) -> tuple[Array, Array | None]:
    """The same as the file stores it; the opacity where it has one."""
    full = float(2**found.depth - 1)
    planes = np.array(found.merged, np.float64) / full
    count = COLOURS[found.mode]
    return planes[:count], planes[count] if found.transparent else None


def _tree(layers: Sequence[FoundLayer]) -> Group:
    stack = [Group()]
    for layer in layers:
        if layer.divider == 3:
            stack.append(Group())
        elif layer.divider:
            group = stack.pop()
            group.head = layer
            stack[-1].children.append(group)
        else:
            stack[-1].children.append(layer)
    return stack[0]


def _onto(
    colours: Array, alpha: Array, items: Sequence[FoundLayer | Group], found: Found
) -> tuple[Array, Array]:
    for item in items:
        head = item.head if isinstance(item, Group) else item
        assert head is not None
        if not head.visible:
            continue
        assert not head.clipped, "clipping is not composed here"
        share = _mask(head, found) * (head.opacity / 255)
        if isinstance(item, Group):
            colours, alpha = _group(colours, alpha, item, share, found)
        else:
            above, cover = _layer(item, found)
            colours, alpha = _over(colours, alpha, above, cover * share, item.blend)
    return colours, alpha


def _group(colours: Array, alpha: Array, group: Group, share: Array, found: Found) -> tuple[Array, Array]:
    assert group.head is not None
    if group.head.group_blend == b"pass":
        # Its layers lie on what is below; the mask lets that through as it was.
        there, cover = _onto(colours, alpha, group.children, found)
        mixed = alpha * (1 - share) + cover * share
        light = colours * alpha * (1 - share) + there * cover * share
        return np.where(mixed > 0, light / np.maximum(mixed, 1e-12), colours), mixed
    above, cover = _onto(np.ones_like(colours), np.zeros_like(alpha), group.children, found)
    return _over(colours, alpha, above, cover * share, group.head.group_blend)


def _over(colours: Array, alpha: Array, above: Array, cover: Array, blend: bytes) -> tuple[Array, Array]:
    assert blend in {b"norm", b"mul "}, f"{blend!r} is not composed here"
    blended = above * colours if blend == b"mul " else above
    source = (1 - alpha) * above + alpha * blended
    union = cover + alpha * (1 - cover)
    light = cover * source + (1 - cover) * alpha * colours
    return np.where(union > 0, light / np.maximum(union, 1e-12), colours), union


def _layer(layer: FoundLayer, found: Found) -> tuple[Array, Array]:
    colours = np.stack([_on_canvas(layer, number, found, 1.0) for number in range(COLOURS[found.mode])])
    if -1 in layer.channels:
        return colours, _on_canvas(layer, -1, found, 0.0)
    whole = np.zeros((found.height, found.width))
    left, top, right, bottom = layer.box
    whole[max(top, 0) : bottom, max(left, 0) : right] = 1
    return colours, whole


def _mask(layer: FoundLayer, found: Found) -> Array:
    if -2 not in layer.channels or layer.mask_flags & 2:
        return np.ones((found.height, found.width))
    return _on_canvas(layer, -2, found, layer.mask_outside / 255)


def _on_canvas(layer: FoundLayer, number: int, found: Found, outside: float) -> Array:
    box = layer.mask_box if number == -2 else layer.box
    assert box is not None
    samples = layer.channels[number] / float(2**found.depth - 1)
    out = np.full((found.height, found.width), outside)
    left, top, right, bottom = box
    down = slice(max(top, 0), min(bottom, found.height))
    across = slice(max(left, 0), min(right, found.width))
    out[down, across] = samples[down.start - top : down.stop - top, across.start - left : across.stop - left]
    return out
