"""One layer's work: a request and its bytes become a mask, with the same engine as everywhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from mattebox.core.errors import SettingsError
from mattebox.core.settings import CutSettings
from mattebox.core.settings.explain import explain
from mattebox.core.settings.rule import read_rule
from mattebox.gimp_plugin import selected
from mattebox.gimp_plugin.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mattebox.core.cutout import Cutout
    from mattebox.core.engine import Engine
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest


def cut_layer(
    request: CutRequest, blobs: Sequence[bytes | memoryview], engine: Engine, on_step: Callable[[str], None]
) -> tuple[dict[str, Any], list[memoryview]]:
    """The report, and the mask (product, colours where asked for) as bytes of the request's size and depth.

    The report's "empty" says that nothing was found, or nothing of it in the selection. `on_step` is called
    before each step with its name and may raise to stop. Raises MatteboxError children.
    """
    sent = Sent.of(request, blobs)
    photo, cut = sent.photo, _cutter(request, sent, engine, on_step)
    settings = settings_of(request)
    if sent.selection is None:
        cutout = cut(settings)
    else:
        whole = cut(settings_of(replace(request, box=None)))
        cutout = selected.inside(sent.selection, whole, lambda: cut(settings))
    alpha: NDArray[Any] = cutout.alpha
    if photo.alpha is not None and settings.input_alpha == "multiply" and not request.apply_alpha:
        alpha = divided(alpha, photo.alpha)
    report = cutout.report
    empty = "no_subject" in report.warnings
    if sent.selection is not None:
        empty = empty or not selected.holds(sent.selection, cutout.alpha)
    alpha = _shaped(alpha, sent.selection)
    product = _shaped(cutout.alpha, sent.selection) if request.product else None
    if sent.mask is not None:
        alpha = combined(request.combine, sent.mask, alpha)
    answer = [np.ascontiguousarray(mask).data.cast("B") for mask in (alpha, product) if mask is not None]
    if request.colours:
        colours: NDArray[Any] = np.ascontiguousarray(cutout.colours)
        if photo.alpha is not None:
            colours = np.dstack([colours, photo.alpha])
        answer.append(colours.data.cast("B"))
    return {
        "model": report.model,
        "confidence": report.confidence,
        "warnings": list(report.warnings),
        "seconds": dict(report.seconds),
        "empty": empty,
    }, answer


def _shaped(matte: NDArray[Any], selection: NDArray[Any] | None) -> NDArray[Any]:
    return matte if selection is None else selected.shaped(matte, selection)


def settings_of(request: CutRequest) -> CutSettings:
    """The settings that a request names, of a rule or its own. Raises SettingsError."""
    if request.rule_file:
        settings = read_rule(Path(request.rule_file), request.rule)
    else:
        try:
            settings = CutSettings.model_validate(request.settings)
        except ValidationError as error:
            raise SettingsError(f"These settings cannot be used: {explain(error, CutSettings)}") from error
    changes: dict[str, Any] = {"decontaminate": request.colours}
    if request.box is not None:
        changes["subject"] = tuple(float(edge) for edge in request.box)
    return settings.model_copy(update=changes)


def divided(product: NDArray[Any], own: NDArray[Any]) -> NDArray[Any]:
    """The mask (h, w) that gives `product` when GIMP multiplies it with the layer's `own` alpha.

    Counting the layer's transparency in the mask too would count it twice. own_alpha.multiplied of the
    result and `own` is `product` again, exactly: rounding the mask moves the product by own / (2 top),
    which is at most a half.
    """
    top = int(np.iinfo(product.dtype).max)
    share = np.maximum(own, 1).astype(np.uint64)
    mask = (product.astype(np.uint64) * top + share // 2) // share
    return np.where(own == 0, 0, np.minimum(mask, top)).astype(product.dtype)


def combined(how: str, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """Two masks (h, w) of one dtype as one, by GIMP's own rules for channels.

    intersect is the smaller, add the sum up to full, subtract the old less the new
    (gimp_gegl_mask_combine_buffer).
    """
    if how == "replace":
        return new
    if how == "intersect":
        return np.asarray(np.minimum(old, new))
    if how == "add":
        top = np.iinfo(old.dtype).max
        return np.where(new > top - old, top, old + new).astype(old.dtype)
    return np.where(new > old, 0, old - new).astype(old.dtype)


def _cutter(
    request: CutRequest, sent: Sent, engine: Engine, on_step: Callable[[str], None]
) -> Callable[[CutSettings], Cutout]:
    rough: NDArray[np.float32] | None = None
    if request.rough and sent.mask is not None:
        rough = sent.mask.astype(np.float32) / np.float32(np.iinfo(sent.mask.dtype).max)
    return lambda settings: engine.cut(sent.photo, settings, rough=rough, on_step=on_step)
