"""The other way to a mask: `mattebox cut --format mask` on the pixels that GIMP has."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mattebox.core.photo.own_alpha import multiplied

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gimp_plugin.rig import Result, Rig


Masks = dict[str, NDArray[Any]]


def by_command_line(rig: Rig, results: list[Result]) -> Masks:
    """Masks of the pixels in these results, all in one run."""
    folder = rig.scratch / "pixels"
    folder.mkdir(exist_ok=True)
    for result in results:
        write_png(folder / f"{result.name}.png", result)
    return masks_of(rig, folder, [result.name for result in results])


def masks_of(rig: Rig, folder: Path, names: list[str]) -> Masks:
    """Masks of the PNGs of these names in a folder, all in one run."""
    photos = [str(folder / f"{name}.png") for name in names]
    line = [sys.executable, "-m", "mattebox.cli.main", "cut", *photos, "-o", f"{rig.scratch}/cut/"]
    options = ["--format", "mask", "-m", "u2netp", "-s", "cut.quality=fast", "--overwrite"]
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        name: cv2.imread(str(rig.scratch / "cut" / f"{name}.mask.png"), cv2.IMREAD_UNCHANGED)
        for name in names
    }


def write_png(path: Path, result: Result) -> None:
    """The pixels that the plug-in sent, as a file."""
    pixels, alpha = result.pixels, result.plane("alpha")
    if result["bits"] == 8:
        squeezed = pixels[..., 0] if result["channels"] == 1 else pixels
        image = Image.fromarray(squeezed)
        if alpha is not None:
            image.putalpha(Image.fromarray(alpha))
        image.save(path)
        return
    planes = pixels[..., ::-1]
    if alpha is not None:
        planes = np.dstack([planes, alpha])
    assert cv2.imwrite(str(path), planes)


def shown(result: Result) -> NDArray[Any]:
    """What of the layer is visible: its mask times its own alpha, as GIMP composites."""
    mask, alpha = result.plane("mask"), result.plane("alpha")
    assert mask is not None
    return mask if alpha is None else multiplied(mask, alpha)
