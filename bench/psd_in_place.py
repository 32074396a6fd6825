"""Put a mask onto a layer of every PSD in a folder, and compare all else byte by byte.

    python bench/psd_in_place.py FOLDER [--json FILE]

Tried with the PSDs of psd-tools' source repository (tests/psd_files).
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import re
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from psd_tools import PSDImage
from psd_tools.constants import Compression
from psd_tools.psd import PSD
from rich.console import Console
from rich.table import Table

from mattebox.core.composition import Composition
from mattebox.core.errors import MatteboxError
from mattebox.core.photo import read_photo
from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.layer_photo import layer_photo

_MASK = -2
_THUMBNAIL = 1036


def without_mask(path: Path, index: int, *, preview: bool) -> bytes:
    """The file as psd-tools writes it when the mask of that layer (and the preview) is taken out."""
    with path.open("rb") as file:
        psd = PSD.read(file)
    info = psd._get_layer_info()  # noqa: SLF001 - deep files keep their layers in two places
    record, channels = info.layer_records[index], info.channel_image_data[index]
    for place in reversed(range(len(record.channel_info))):
        if record.channel_info[place].id == _MASK:
            del record.channel_info[place]
            del channels[place]
    record.mask_data = None
    if not preview:
        psd.image_data.data = b""
        psd.image_data.compression = Compression.RAW
        if _THUMBNAIL in psd.image_resources:
            del psd.image_resources[_THUMBNAIL]
    out = io.BytesIO()
    psd.write(out)
    return out.getvalue()


def changed_layer(before: Path, after: Path) -> int:
    """The one layer whose record's bytes differ."""
    records = []
    for path in (before, after):
        with path.open("rb") as file:
            records.append(PSD.read(file)._get_layer_info().layer_records)  # noqa: SLF001 - as above
    [index] = [
        number
        for number, pair in enumerate(zip(*records, strict=True))
        if pair[0].tobytes() != pair[1].tobytes()
    ]
    return index


def outcome(source: Path, target: Path) -> tuple[str, str]:
    """identical, different or refused; and why."""
    before = source.read_bytes()
    try:
        photo = layer_photo(read_photo(source), None)
        height, width = photo.pixels.shape[:2]
        alpha = np.zeros((height, width), photo.pixels.dtype)
        alpha[: height // 2 + 1, width // 3 :] = np.iinfo(alpha.dtype).max // 3
        made = Composition(photo, photo.pixels, photo.pixels, alpha)
        notes = write(made, PsdOutput(in_place=True, existing_mask="replace"), target)
    except MatteboxError as error:
        sentence = str(error).replace(f"{source}: ", "")
        if target.exists() or source.read_bytes() != before:
            return "different", f"a refused file left something: {sentence}"
        return "refused", sentence
    index = changed_layer(source, target)
    if without_mask(source, index, preview=bool(notes)) != without_mask(target, index, preview=bool(notes)):
        return "different", "bytes outside the mask"
    PSDImage.open(target)
    return "identical", "the preview is kept" if notes else "the preview is made anew"


def main() -> None:
    """Try every file and print what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the outcomes there")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    files = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in {".psd", ".psb"})
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            target = Path(folder) / f"out{path.suffix}"
            target.unlink(missing_ok=True)
            found[str(path.relative_to(options.folder))] = outcome(path, target)
    reasons = Counter((kind, re.sub(r"'.*'", "'...'", why)) for kind, why in found.values())
    table = Table("outcome", "files", "why", title=f"{len(files)} files")
    for (kind, why), count in reasons.most_common():
        table.add_row(kind, str(count), why)
    Console(width=140).print(table)
    for name, (kind, why) in found.items():
        if kind == "different":
            Console().print(name, why)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
