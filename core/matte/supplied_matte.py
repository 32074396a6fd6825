"""A matte that a person made, from a PSD's user mask or a gray picture, instead of a network's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mattebox.core.cutout import Cutout
from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.matte.foreground import straight_foreground
from mattebox.core.photo import read_photo
from mattebox.core.report.cut_report import CutReport
from mattebox.core.segment.boxes import subject_box

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.settings import CutSettings


def cut_with_matte(photo: Photo, matte: Path, settings: CutSettings) -> Cutout:
    """The cutout of `photo` by the matte in a file; nothing of it is doubted, so its confidence is 1.

    Raises PhotoError where the file holds no matte, SettingsError where its size is not the photo's.
    """
    level = read_matte(matte)
    if level.shape != (photo.height, photo.width):
        height, width = level.shape
        raise SettingsError(
            f"{matte}: the matte has {width} x {height} pixels and the photo {photo.width} x {photo.height}; "
            "save it without cropping or resizing."
        )
    top = np.iinfo(photo.pixels.dtype).max
    levels = level * np.float64(top) + 0.5
    alpha: Pixels = levels.astype(np.uint8) if photo.bits == 8 else levels.astype(np.uint16)
    foreground = straight_foreground(photo.pixels, alpha) if settings.decontaminate else None
    box = subject_box(alpha)
    report = CutReport(
        model="given matte", confidence=1.0, warnings=() if box else ("no_subject",), subject_box=box
    )
    return Cutout(photo, alpha, foreground, report)


def read_matte(path: Path) -> NDArray[np.float64]:
    """The matte in a file, (h, w) in 0..1: the topmost user mask of a PSD, the levels of a gray picture.

    A picture with transparency gives its alpha. Raises PhotoError.
    """
    if path.suffix.lower() in (".psd", ".psb"):
        return _user_mask(path)
    picture = read_photo(path)
    if picture.alpha is None and picture.mode != "gray":
        raise PhotoError(f"{path}: a matte is a gray picture, a picture with transparency, or a PSD's mask.")
    plane = picture.pixels[..., 0] if picture.alpha is None else picture.alpha
    return plane.astype(np.float64) / np.iinfo(plane.dtype).max


def _user_mask(path: Path) -> NDArray[np.float64]:
    from psd_tools import PSDImage  # noqa: PLC0415 - a package of its own, only for PSDs

    try:
        level = _topmost_mask(PSDImage.open(path))
    except Exception as error:
        raise PhotoError(f"{path}: the PSD is damaged and cannot be read; save it again.") from error
    if level is None:
        raise PhotoError(f"{path}: no layer of this PSD has a layer mask.")
    return level


def _topmost_mask(psd: Any) -> NDArray[np.float64] | None:
    """The mask of the topmost layer that is seen and has one, on the whole canvas, as a person sees it."""
    masked = [layer for layer in psd.descendants() if layer.has_mask()]
    # descendants() begins at the bottom.
    layer = next((layer for layer in reversed(masked) if layer.is_visible()), masked[-1] if masked else None)
    if layer is None:
        return None
    mask = layer.mask
    level = np.full((psd.height, psd.width), mask.background_color / 255.0)
    values = layer.numpy("mask")
    left, top = max(0, mask.left), max(0, mask.top)
    right, bottom = min(psd.width, mask.right), min(psd.height, mask.bottom)
    if values is not None and right > left and bottom > top:
        inner = values[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left, 0]
        level[top:bottom, left:right] = inner
    return level
