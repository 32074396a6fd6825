"""Limits come before pixels: nothing that a header can say makes `probe` allocate, or reading begin."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from bombs import bombs

# Above a file's own size: decoders' tables, and what metadata may inflate to.
CONSTANT = 40_000_000
# Each file is looked at in a process of its own, forked where all libraries are loaded already.
LOOK = """
    import json, os, resource, sys
    import cv2, imagecodecs, pi_heif, psd_tools, pyjpegxl, tifffile
    from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, Jpeg2KImagePlugin, MpoImagePlugin
    from PIL import Image
    from mattebox.core.errors import MatteboxError
    from mattebox.core.photo import probe, read_photo

    def most():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    for path in sys.argv[2:]:
        child = os.fork()
        if child == 0:
            before = most()
            try:
                (probe if sys.argv[1] == "probe" else read_photo)(path)
                outcome = "read"
            except MatteboxError as error:
                outcome = f"{type(error).__name__}: {error}"
            print(json.dumps([path, outcome, most() - before]), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
"""


def looked_at(how: str, folder: Path) -> dict[str, tuple[str, int]]:
    """What became of each file, and how many bytes more it took."""
    files = sorted(str(path) for path in folder.iterdir())
    command = [sys.executable, "-c", textwrap.dedent(LOOK), how, *files]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == files, "a file ended its process"
    return {Path(path).name: (outcome, grown) for path, outcome, grown in lines}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bombs in every format."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, data in bombs().items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
@pytest.mark.parametrize("how", ["probe", "read"])
def test_a_header_that_lies_costs_nothing(hostile: Path, how: str) -> None:
    """Each bomb is refused by its limit, from its header, within a constant of memory."""
    found = looked_at(how, hostile)
    for name, (outcome, grown) in found.items():
        size = (hostile / name).stat().st_size
        assert grown < 4 * size + CONSTANT, (name, grown, outcome)
        if how == "probe" and name.startswith(("read-", "xmp", "texts")):
            continue
        if name.startswith(("xmp", "texts")):
            continue
        assert outcome.startswith("LimitError: "), (name, outcome)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one large, even photo in every format: 50 MB of pixels, small files."""
    import pillow_heif
    import pyjpegxl
    from psd_tools import PSDImage

    folder = tmp_path_factory.mktemp("sound")
    image = Image.new("RGB", (4096, 4096), (200, 90, 30))
    for ending, options in (
        ("png", {}), ("jpg", {}), ("webp", {"method": 0}), ("avif", {"speed": 10}), ("gif", {}),
        ("jp2", {"irreversible": True}),
    ):  # fmt: skip
        image.save(folder / f"a.{ending}", **options)
    image.save(folder / "a.bmp")
    pixels = np.asarray(image)
    tifffile.imwrite(folder / "a.tif", pixels, photometric="rgb", compression="zlib")
    pillow_heif.from_pillow(image.resize((2048, 2048))).save(folder / "a.heic")
    (folder / "a.jxl").write_bytes(
        pyjpegxl.encode_from_numpy(pixels, lossless=True, speed=pyjpegxl.EncoderSpeed.Lightning)
    )
    stored = BytesIO()
    PSDImage.frompil(image).save(stored)
    (folder / "a.psd").write_bytes(stored.getvalue())
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_no_probe_decodes(sound: Path) -> None:
    """`probe` of any format takes no more than the file and a constant: the pixels would be 50 MB."""
    found = looked_at("probe", sound)
    assert len(found) == 11
    for name, (outcome, grown) in found.items():
        assert outcome == "read", (name, outcome)
        assert grown < (sound / name).stat().st_size + 24_000_000, (name, grown)
