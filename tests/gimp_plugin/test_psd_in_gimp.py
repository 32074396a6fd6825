"""PSDs that Mattebox writes, opened in a real GIMP 3: the mask is there, and the picture agrees with ours."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def psds(rig: Rig) -> Rig:
    """A PSD of 8 and one of 16 bits, cut on the command line, with the mask alone beside each."""
    folder = rig.scratch / "psd"
    folder.mkdir()
    photo = np.asarray(Image.open(rig.scratch / "photo.png"))
    Image.fromarray(photo).save(folder / "eight.png")
    assert cv2.imwrite(str(folder / "sixteen.png"), photo[..., ::-1].astype(np.uint16) * 257)
    line = [sys.executable, "-m", "mattebox.cli.main", "cut", str(folder), "-o", f"{rig.scratch}/"]
    options = ["-f", "psd", "-f", "mask", "-m", "u2netp", "-s", "cut.quality=fast"]
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (rig.scratch / "psds.json").write_text(json.dumps(["eight.psd", "sixteen.psd"]), encoding="utf-8")
    rig.run("psd")
    return rig


@pytest.mark.parametrize("name", ["eight", "sixteen"])
def test_gimp_sees_the_mask_and_the_photo(psds: Rig, name: str) -> None:
    """The layer with the mask has the photo's own pixels and exactly the mask of --format mask."""
    layer = psds.result(f"{name}.psd")
    expected = cv2.imread(str(psds.scratch / f"{name}.mask.png"), cv2.IMREAD_UNCHANGED)
    mask = layer.plane("mask")
    assert mask is not None
    assert np.array_equal(mask, expected)
    photo = cv2.imread(str(psds.scratch / "psd" / f"{name}.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert np.array_equal(layer.pixels, photo)


@pytest.mark.parametrize("name", ["eight", "sixteen"])
def test_gimp_shows_the_flattened_picture(psds: Rig, name: str) -> None:
    """What GIMP composites of the layers is the flattened picture in the file, but for rounding."""
    shown = psds.result(f"{name}.psd-shown")
    flattened = PSDImage.open(psds.scratch / f"{name}.psd").numpy()[..., :3]
    top = 255 if name == "eight" else 65535
    assert np.abs(shown.pixels / top - flattened).max() <= 1.5 / 255
    matte = cv2.imread(str(psds.scratch / f"{name}.mask.png"), cv2.IMREAD_UNCHANGED)
    photo = psds.result(f"{name}.psd").pixels
    assert not np.array_equal(shown.pixels[matte == 0], photo[matte == 0]), "the mask hides nothing"
