"""u2net's golden figures on real photos, in float32 and in 8 bits, each within a tolerance of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.network.quantize import Form, quantize
from mattebox.core.network.segmenter import Segmenter
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings
from mattebox.models.catalogue import find_network
from mattebox.models.ranges import find_ranges
from mattebox.models.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.cutout import Cutout

pytestmark = [pytest.mark.network, pytest.mark.slow]

U2NET = find_network("u2net")
LOOK: Final = CutSettings(quality="fast", decontaminate=False)
# The share of the photo that is subject, and the confidence, of one look in float32.
GOLDEN: Final = {
    "cat.png": (0.5957, 0.3239),
    "coffee.png": (0.4732, 0.9722),
    "flower.jpg": (0.2174, 0.9623),
}
# Weights in 8 bits are for processors with 8-bit dot products, those in 7 bits for all; on one without, both
# are the latter. Seen with AVX-512 VNNI, in this order of photos and forms: IoU with float32's half .9685,
# .9985, .9983, and .9769, .9977, .9970; mean difference .0150, .0007, .0004, and .0165, .0012, .0006;
# confidence .315, .972, .961, and .301, .972, .963. The cat fills its photo and is half seen: there looks
# differ most.
FORMS: Final = {"8 bits as here": Form(), "7-bit weights": Form(narrow=True)}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far 8 bits may be from float32: the least IoU, the most mean difference, and of confidence."""

    iou: float
    difference: float
    confidence: float


TOLERANCES: Final = {
    "cat.png": Tolerance(0.94, 0.03, 0.15),
    "coffee.png": Tolerance(0.99, 0.004, 0.02),
    "flower.jpg": Tolerance(0.99, 0.004, 0.02),
}


def _cut_all(network: Segmenter, photos: dict[str, Path]) -> dict[str, Cutout]:
    engine = Engine(threads=2, device="cpu")
    engine._networks._segmenters[U2NET.name, LOOK.precision] = network
    return {name: engine.cut(read_photo(photos[name]), LOOK) for name in GOLDEN}


@pytest.fixture(scope="module")
def float32(shipped_photos: dict[str, Path]) -> dict[str, Cutout]:
    """Every photo cut in float32."""
    return _cut_all(Segmenter(U2NET, Store().ensure(U2NET), threads=2, device="cpu"), shipped_photos)


def test_float32_gives_the_golden_figures(float32: dict[str, Cutout]) -> None:
    """Areas are within .003 of what they were, confidences within .02."""
    for name, (area, confidence) in GOLDEN.items():
        cutout = float32[name]
        assert float((cutout.alpha >= 128).mean()) == pytest.approx(area, abs=0.003), name
        assert cutout.report.confidence == pytest.approx(confidence, abs=0.02), name


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_8_bits_stay_near_them(
    form: Form, float32: dict[str, Cutout], shipped_photos: dict[str, Path], tmp_path: Path
) -> None:
    """Mask, matte and confidence in 8 bits are within a tolerance that processors of either kind keep."""
    ranges = find_ranges(U2NET)
    assert ranges is not None
    target = tmp_path / "u2net.onnx"
    quantize(U2NET, Store().ensure(U2NET), ranges, target, form=form)
    found = _cut_all(Segmenter(U2NET, target, threads=2, device="cpu"), shipped_photos)
    for name, allowed in TOLERANCES.items():
        ours, theirs = found[name].alpha >= 128, float32[name].alpha >= 128
        assert (ours & theirs).sum() / (ours | theirs).sum() >= allowed.iou, name
        apart = np.abs(found[name].alpha.astype(np.float32) - float32[name].alpha) / 255
        assert float(apart.mean()) <= allowed.difference, name
        confidence = float32[name].report.confidence
        assert found[name].report.confidence == pytest.approx(confidence, abs=allowed.confidence), name
