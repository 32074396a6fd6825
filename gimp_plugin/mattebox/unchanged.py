"""Whether an image is still what was read when the engine's answer comes: GIMP stays usable meanwhile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.errors import RefusedError
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from errors import RefusedError
    from words import _

_CHANGED = _("The layer “{name}” changed meanwhile; nothing was changed. Start the cut again.")
_THUMBNAIL = 512  # pixels of its longer side; GIMP renders it, effects included, in a few milliseconds


@dataclass(frozen=True)
class LayerState:
    """What an answer for a layer depends on. place: size, offsets, kinds of values, as GIMP has them.

    pixels, mask, selection: digests of thumbnails; the mask's is empty where there is none, the selection's
    where it does not matter.
    """

    place: tuple[Any, ...]
    pixels: str
    mask: str
    selection: str

    @classmethod
    def of(cls, layer: Any, image: Any, *, with_selection: bool) -> LayerState:
        """The state now. Raises RefusedError where the layer or its image is gone."""
        require_there(layer, image)
        mask = layer.get_mask()
        return cls(
            place=_place_of(layer, image),
            pixels=digest(layer),
            mask="" if mask is None else digest(mask),
            selection=digest(image.get_selection()) if with_selection else "",
        )


def require_there(layer: Any, image: Any) -> None:
    """Raise RefusedError where the image was closed or the layer deleted."""
    if not image.is_valid():
        raise RefusedError(_("The image was closed meanwhile; nothing was changed."))
    if not layer.is_valid() or layer.get_image() != image:
        raise RefusedError(_("The layer was deleted meanwhile; nothing was changed."))


def require_unchanged(layer: Any, image: Any, before: LayerState) -> None:
    """Raise RefusedError where a layer is not what it was `before`."""
    require_place(layer, image, before)
    now = LayerState.of(layer, image, with_selection=bool(before.selection))
    name = layer.get_name()
    if now.pixels != before.pixels:
        raise RefusedError(_CHANGED.format(name=name))
    if now.mask != before.mask:
        raise RefusedError(
            _(
                "The mask of the layer “{name}” changed meanwhile; nothing was changed. Start the cut again."
            ).format(name=name)
        )
    if now.selection != before.selection:
        raise RefusedError(_("The selection changed meanwhile; nothing was changed. Start the cut again."))


def require_place(layer: Any, image: Any, before: LayerState) -> None:
    """Raise RefusedError where bytes for a layer as it was `before` do not fit it any more; costs little."""
    require_there(layer, image)
    if _place_of(layer, image) != before.place:
        raise RefusedError(_CHANGED.format(name=layer.get_name()))


def _place_of(layer: Any, image: Any) -> tuple[Any, ...]:
    """Size, offsets and kinds of values: what may not differ when bytes are written."""
    profile = image.get_color_profile()
    return (
        layer.get_width(),
        layer.get_height(),
        *layer.get_offsets()[-2:],
        int(layer.type()),
        int(image.get_precision()),
        hashlib.sha256(profile.get_icc_profile()).hexdigest() if profile is not None else "",
    )


def digest(drawable: Any) -> str:
    """A fingerprint of what a drawable shows, at the size of a thumbnail."""
    width, height = drawable.get_width(), drawable.get_height()
    longer = max(width, height, 1)
    side = min(_THUMBNAIL, longer)
    size = (max(width * side // longer, 1), max(height * side // longer, 1))
    data = drawable.get_thumbnail_data(*size)[0]
    return hashlib.sha256(data.get_data() or b"").hexdigest() if data is not None else "none"
