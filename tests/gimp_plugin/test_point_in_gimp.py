"""In a real GIMP 3: pointing from a script, by points, a box, the selection and a path's anchors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from mattebox.core.matte.edges import EdgeChoices, with_edges

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def pointed(rig: Rig, shipped_photos: dict[str, Path]) -> Rig:
    """The script's results."""
    with Image.open(shipped_photos["coffee.png"]) as photo:
        Image.fromarray(np.asarray(photo.convert("RGB"))).save(rig.scratch / "coffee.png")
    rig.run("pointing", timeout=500)
    return rig


@pytest.mark.parametrize("way", ["points", "box", "selection", "path"])
def test_each_way_of_pointing_masks_the_cup(pointed: Rig, way: str) -> None:
    """The cup is opaque and the table is not, and the layer's pixels are the photo's."""
    result = pointed.result(f"point-{way}")
    assert result["said"] == ["success", ""]
    mask = result.plane("mask")
    assert mask is not None
    assert mask[170, 290] > 200
    assert mask[380, 20] < 50
    photo = np.asarray(Image.open(pointed.scratch / "coffee.png"))
    assert np.array_equal(result.pixels, photo)


def test_edge_choices_reach_the_mask(pointed: Rig) -> None:
    """A shift into the subject leaves less of it, everywhere."""
    whole, less = (pointed.result(f"point-{name}").plane("mask") for name in ("points", "shifted"))
    assert whole is not None
    assert less is not None
    assert (less <= whole).all()
    assert less.astype(int).sum() < whole.astype(int).sum()


def test_refine_moves_the_edge_of_the_matte_at_hand(pointed: Rig) -> None:
    """With edges "as they are" two pixels outwards are the gray dilation of the mask, and nothing else."""
    before, moved = (pointed.result(f"point-{name}") for name in ("before", "moved"))
    assert [before["said"], moved["said"]] == [["success"], ["success"]]
    mask, wider = before.plane("mask"), moved.plane("mask")
    assert mask is not None
    assert wider is not None
    assert np.array_equal(wider, with_edges(mask, EdgeChoices(shift=2.0)))
    assert wider.astype(int).sum() > mask.astype(int).sum()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nonsense", "120,80 300,95"),
        ("beyond", "outside of the layer"),
        ("blank", "No subject was found in the layer"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(pointed: Rig, name: str, words: str) -> None:
    """A point that is none, or none of the layer, or a blank layer, changes nothing and is told."""
    result = pointed.result(f"point-{name}")
    assert result["said"][0] != "success"
    assert words in result["said"][1]
    assert result.plane("mask") is None
