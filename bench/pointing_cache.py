"""What networks say of labelled photos, kept on disk by hash, so that choices can be tried at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.matting import Seen
from mattebox.core.photo import read_photo
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.prepare import shown
from mattebox.core.segment.prompt.frame import Frame
from mattebox.core.segment.prompt.network import Encoded
from mattebox.core.segment.prompt.pointer import Pointer
from mattebox.core.segment.prompt.session import Session
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.engine import Engine
    from mattebox.core.segment.prompt.network import Promptable

FORM: Final = "1"


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A photo, all that the salient network says of it by itself, and what the promptable one remembers."""

    seen: Seen
    encoded: Encoded


def known(path: Path, engine: Engine, network: Promptable, folder: Path) -> Known:
    """What networks say of the photo at `path`, from `folder` where it was asked before."""
    photo = read_photo(path)
    settings = CutSettings(decontaminate=False)
    digest = hashlib.sha256(FORM.encode() + path.read_bytes()).hexdigest()[:24]
    file = folder / f"{digest}.npz"
    if not file.exists():
        seen = engine.segment(photo, settings)
        encoded = network.encode(shown(photo).enhanced)
        looks = {f"look {look.way}": look.map.astype(np.float16) for look in seen.segmentation.predictions}
        facts: dict[str, Any] = {
            "embedding": encoded.embedding,
            "map": seen.segmentation.probability.astype(np.float16),
            "frames": np.asarray([look.frame for look in seen.segmentation.predictions]),
            "used": np.asarray([look.used for look in seen.segmentation.predictions]),
            "detail": seen.segmentation.detail,
            **looks,
        }
        folder.mkdir(parents=True, exist_ok=True)
        staged = file.with_name(f".{file.name}")
        with staged.open("wb") as stream:
            np.savez(stream, **facts)
        staged.replace(file)
    with np.load(file) as kept:
        found = {name: kept[name] for name in kept.files}
    copy = shown(photo)
    ways = [name.removeprefix("look ") for name in found if name.startswith("look ")]
    looks = tuple(
        Prediction(
            "u2net", way, found[f"look {way}"].astype(np.float32), tuple(int(n) for n in frame), bool(used)
        )
        for way, frame, used in zip(ways, found["frames"], found["used"], strict=True)
    )
    probability = found["map"].astype(np.float32)
    segmentation = Segmentation(probability, looks, float(found["detail"]))
    seen = Seen(photo, settings, copy.small, copy.view, segmentation, probability, 1, "u2net", "cpu", (), {})
    return Known(seen, Encoded(found["embedding"], Frame(*copy.view.shape[:2])))


def session_of(told: Known, network: Promptable, *, salient: bool = True) -> Session:
    """A session on what is known already; without the salient map it knows nothing of what stands out."""
    seen = told.seen
    if not salient:
        empty = np.zeros_like(seen.segmentation.probability)
        seen = replace(seen, probability=empty, segmentation=replace(seen.segmentation, probability=empty))
    return Session(
        seen, Pointer(network, told.encoded, seen.segmentation.probability), network=network.network.name
    )
