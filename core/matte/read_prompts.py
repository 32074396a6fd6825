"""What settings say of where the subject is, their files read, as prompts for one photo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.errors import SettingsError
from mattebox.core.matte.supplied_matte import read_matte
from mattebox.core.photo import read_photo
from mattebox.core.segment.prompt.prompts import Click, Prompts, Strokes
from mattebox.core.settings.cut import box_of, points_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.photo import Photo
    from mattebox.core.settings import CutSettings, PromptSettings

    Mask = NDArray[np.bool_]
    Map = NDArray[np.float32]

# Levels of 0..1 beyond which a stroke is white or black; pens have soft rims, which say nothing sure.
_WHITE: Final = 0.9
_BLACK: Final = 0.1
_OPAQUE: Final = 0.5


def prompts_of(settings: CutSettings, photo: Photo) -> Prompts:
    """All that settings say of where the subject is, the older form `subject:` with it.

    Raises what read_prompts() raises.
    """
    prompts = read_prompts(settings.prompts, photo)
    points, box = points_of(settings.subject), box_of(settings.subject)
    if points is not None:
        # A point beyond the edge was always taken for one at it.
        near = [Click(min(x, photo.width - 1), min(y, photo.height - 1)) for x, y in points]
        prompts = replace(prompts, clicks=(*near, *prompts.clicks))
    return prompts if box is None or prompts.box is not None else replace(prompts, box=box)


def read_prompts(settings: PromptSettings, photo: Photo) -> Prompts:
    """What the settings say of `photo`, their files read; clicks on the subject come before the others.

    Raises PhotoError where a file cannot be read, SettingsError where a prompt does not fit the photo.
    """
    inside = [Click(x, y) for x, y in settings.inside]
    outside = [Click(x, y, inside=False) for x, y in settings.outside]
    clicks = (*inside, *outside)
    for click in clicks:
        if click.x >= photo.width or click.y >= photo.height:
            raise SettingsError(
                f"The point {click.x:g},{click.y:g} lies outside of the photo, which has {photo.width} x "
                f"{photo.height} pixels; points are given in pixels from its upper left corner."
            )
    return Prompts(
        clicks,
        settings.box,
        read_strokes(settings.strokes, photo) if settings.strokes is not None else None,
        _of_size(read_matte(settings.from_matte), photo, settings.from_matte)
        if settings.from_matte is not None
        else None,
    )


def read_strokes(path: Path, photo: Photo) -> Strokes:
    """The strokes in a picture of the photo's shape: white in, black out, gray unsure, transparent nothing.

    A picture without transparency says something of every pixel, as a trimap does. Raises PhotoError,
    SettingsError.
    """
    picture = read_photo(path)
    top = np.float32(np.iinfo(picture.pixels.dtype).max)
    level = picture.pixels[..., :3].astype(np.float32).mean(axis=2) / top
    if picture.alpha is None:
        drawn = np.ones(level.shape, bool)
    else:
        drawn = picture.alpha.astype(np.float32) >= _OPAQUE * np.iinfo(picture.alpha.dtype).max
    _check_shape(level.shape, photo, path)
    inside, outside = drawn & (level >= _WHITE), drawn & (level <= _BLACK)
    masks = (inside, outside, drawn & ~inside & ~outside)
    return Strokes(*(_mask_of_size(mask, photo) for mask in masks))


def _mask_of_size(mask: Mask, photo: Photo) -> Mask:
    size = (photo.width, photo.height)
    if mask.shape == size[::-1]:
        return mask
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def _of_size(level: NDArray[np.float64], photo: Photo, path: Path) -> Map:
    _check_shape(level.shape, photo, path)
    size = (photo.width, photo.height)
    if level.shape == size[::-1]:
        return level.astype(np.float32)
    return np.asarray(cv2.resize(level.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _check_shape(shape: tuple[int, ...], photo: Photo, path: Path) -> None:
    """A smaller or larger copy of the photo's shape is welcome; what is cropped or turned is not."""
    height, width = shape
    across, down = width / photo.width, height / photo.height
    if abs(across * photo.height - down * photo.height) > max(1.0, down):
        raise SettingsError(
            f"{path}: it has {width} x {height} pixels and the photo {photo.width} x {photo.height}; "
            "save it without cropping or turning."
        )
