"""Draws README's picture: mattes of the photos that scikit-image and scikit-learn ship.

Only mattes are drawn, no photo: the photos belong to others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

HEIGHT = 260
GAP = 12
SHEET = (244, 244, 242)


def shipped_photos() -> dict[str, Path]:
    """Real photos from the development packages."""
    import skimage
    import sklearn

    data = Path(skimage.__file__).parent / "data"
    return {
        "astronaut": data / "astronaut.png",
        "cat": data / "chelsea.png",
        "coffee": data / "coffee.png",
        "flower": Path(sklearn.__file__).parent / "datasets" / "images" / "flower.jpg",
    }


def sheet(mattes: list[np.ndarray]) -> Image.Image:
    """Mattes side by side, equally high: (h, w) uint8 each."""
    tiles = [Image.fromarray(matte) for matte in mattes]
    tiles = [tile.resize((round(tile.width * HEIGHT / tile.height), HEIGHT)) for tile in tiles]
    width = sum(tile.width for tile in tiles) + GAP * (len(tiles) + 1)
    picture = Image.new("RGB", (width, HEIGHT + 2 * GAP), SHEET)
    left = GAP
    for tile in tiles:
        picture.paste(tile, (left, GAP))
        left += tile.width + GAP
    return picture


def main() -> None:
    """Cut every photo with the default settings, print the reports, draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=Path("docs/mattes.png"))
    target = parser.parse_args().output
    from mattebox.core.engine import Engine
    from mattebox.core.photo import read_photo
    from mattebox.core.settings import CutSettings

    engine = Engine()
    table = Table("photo", "confidence", "warnings", "seconds")
    mattes = []
    for name, path in shipped_photos().items():
        cutout = engine.cut(read_photo(path), CutSettings())
        mattes.append(np.asarray(cutout.alpha, np.uint8))
        report = cutout.report
        seconds = f"{sum(report.seconds.values()):.2f}"
        table.add_row(name, f"{report.confidence:.2f}", ", ".join(report.warnings), seconds)
    Console().print(table)
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet(mattes).quantize(64).save(target, optimize=True)


if __name__ == "__main__":
    main()
