"""What networks say of labelled photos, kept on disk by hash, so that choices can be tried at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.matting import SegmentedPhoto
from mattebox.core.photo import read_photo
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.prompt.frame import Frame
from mattebox.core.segment.prompt.network import Encoded
from mattebox.core.segment.prompt.pointer import Pointer
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.session import Session
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.engine import Engine
    from mattebox.core.segment.prompt.network import Promptable

FORM: Final = "2"


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A photo, all that the salient network says of it by itself, and what the promptable one remembers."""

    segmented: SegmentedPhoto
    encoded: Encoded


def known(path: Path, engine: Engine, network: Promptable, folder: Path) -> Known:
    """What networks say of the photo at `path`, from `folder` where it was asked before."""
    photo = read_photo(path)
    settings = CutSettings(decontaminate=False)
    digest = hashlib.sha256(FORM.encode() + path.read_bytes()).hexdigest()[:24]
    file = folder / f"{digest}.npz"
    if not file.exists():
        segmented = engine.segment(photo, settings)
        encoded = network.encode(network_input(photo).enhanced)
        looks = {
            f"look {look.augmentation}": look.map.astype(np.float16)
            for look in segmented.segmentation.predictions
        }
        facts: dict[str, Any] = {
            "embedding": encoded.embedding,
            "map": segmented.segmentation.salient.astype(np.float16),
            "frames": np.asarray([look.frame for look in segmented.segmentation.predictions]),
            "used": np.asarray([look.used for look in segmented.segmentation.predictions]),
            "detail": segmented.segmentation.detail,
            **looks,
        }
        folder.mkdir(parents=True, exist_ok=True)
        staged = file.with_name(f".{file.name}")
        with staged.open("wb") as stream:
            np.savez(stream, **facts)
        staged.replace(file)
    with np.load(file) as kept:
        found = {name: kept[name] for name in kept.files}
    copy = network_input(photo)
    ways = [name.removeprefix("look ") for name in found if name.startswith("look ")]
    looks = tuple(
        Prediction(
            "u2net", way, found[f"look {way}"].astype(np.float32), tuple(int(n) for n in frame), bool(used)
        )
        for way, frame, used in zip(ways, found["frames"], found["used"], strict=True)
    )
    probability = found["map"].astype(np.float32)
    segmentation = Segmentation(probability, looks, float(found["detail"]))
    segmented = SegmentedPhoto(
        photo, settings, copy.small, copy.view, segmentation, probability, 1, "u2net", "cpu", (), {}
    )
    return Known(segmented, Encoded(found["embedding"], Frame(*copy.view.shape[:2])))


def session_of(told: Known, network: Promptable, *, salient: bool = True) -> Session:
    """A session on what is known already; without the salient map it knows nothing of what stands out."""
    segmented = told.segmented
    if not salient:
        empty = np.zeros_like(segmented.segmentation.probability)
        segmented = replace(
            segmented, probability=empty, segmentation=replace(segmented.segmentation, probability=empty)
        )
    return Session(
        segmented,
        Pointer(network, told.encoded, segmented.segmentation.probability),
        network=network.network.name,
    )
