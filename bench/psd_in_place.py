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
from typing import TYPE_CHECKING

import numpy as np
from psd_tools import PSDImage
from psd_tools.constants import Compression, Tag
from psd_tools.psd import PSD
from rich.console import Console
from rich.table import Table

from mattebox.core.composition import Composition
from mattebox.core.errors import MatteboxError
from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.layer_photo import layer_photo

if TYPE_CHECKING:
    from psd_tools.psd.layer_and_mask import LayerInfo, LayerRecord

_MASKS = {-2, -3}
_THUMBNAIL = 1036


def opened(path: Path) -> PSD:
    """A file as psd-tools' low-level structures."""
    with path.open("rb") as file:
        return PSD.read(file)


def put_back(before: PSD, after: PSD, *, preview: bool) -> set[str]:
    """Take out of `after` what a mask may change, and nothing else; what that was.

    The mask and its channel; where the layer was a background: its transparency, name and locks; the first
    layer of a flat file; where the merged picture was made anew: that, its channel of transparency and the
    thumbnail.
    """
    found: set[str] = set()
    old, new = before._get_layer_info(), after._get_layer_info()  # noqa: SLF001 - deep files have two places
    section, was = after.layer_and_mask_information, before.layer_and_mask_information
    if old is None or not old.layer_records:
        found.add("a flat file got its first layer")
        section.layer_info = was.layer_info
        section.global_layer_mask_info = was.global_layer_mask_info
        section.tagged_blocks = was.tagged_blocks
    else:
        index = changed_layer(old.layer_records, new.layer_records)
        found |= restored_layer(old.layer_records[index], new, index)
        if new.layer_count == -old.layer_count and not preview:
            new.layer_count = old.layer_count
        if section.tagged_blocks is not None and Tag.LAYER_16 in section.tagged_blocks:
            for tag in (Tag.SAVING_MERGED_TRANSPARENCY16,):
                if tag in section.tagged_blocks and tag not in was.tagged_blocks:
                    del section.tagged_blocks[tag]
    if not preview:
        found.add("the preview is made anew")
        if after.header.channels != before.header.channels:
            found.add("with transparency")
            after.header.channels = before.header.channels
        for psd in (before, after):
            psd.image_data.data = b""
            psd.image_data.compression = Compression.RAW
            if _THUMBNAIL in psd.image_resources:
                del psd.image_resources[_THUMBNAIL]
    return found


def restored_layer(old: LayerRecord, info: LayerInfo, index: int) -> set[str]:
    """One layer without its mask; a background as it was."""
    record, channels = info.layer_records[index], info.channel_image_data[index]
    numbers = {int(channel.id) for channel in old.channel_info}
    raised = -1 not in numbers
    for place in reversed(range(len(record.channel_info))):
        number = int(record.channel_info[place].id)
        if number in _MASKS or (number == -1 and raised):
            del record.channel_info[place]
            del channels[place]
    record.mask_data = None
    if not raised:
        return set()
    record.name = old.name
    record.flags.transparency_protected = old.flags.transparency_protected
    for tag in (Tag.UNICODE_LAYER_NAME, Tag.PROTECTED_SETTING):
        if tag in old.tagged_blocks:
            record.tagged_blocks[tag] = old.tagged_blocks[tag]
    return {"a background became a layer"}


def without_old_mask(psd: PSD, index: int) -> None:
    """The source without the mask that the layer had: it was to be replaced."""
    info = psd._get_layer_info()  # noqa: SLF001 - as above
    record, channels = info.layer_records[index], info.channel_image_data[index]
    for place in reversed(range(len(record.channel_info))):
        if int(record.channel_info[place].id) in _MASKS:
            del record.channel_info[place]
            del channels[place]
    record.mask_data = None


def changed_layer(before: list[LayerRecord], after: list[LayerRecord]) -> int:
    """The one layer whose record's bytes differ."""
    [index] = [
        number
        for number, pair in enumerate(zip(before, after, strict=True))
        if pair[0].tobytes() != pair[1].tobytes()
    ]
    return index


def as_bytes(psd: PSD) -> bytes:
    """The file as psd-tools writes it."""
    out = io.BytesIO()
    psd.write(out)
    return out.getvalue()


def outcome(source: Path, target: Path) -> tuple[str, str]:
    """identical, different or refused; and why."""
    before = source.read_bytes()
    try:
        photo = layer_photo(source, None)
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
    kept = any("stored preview" in note for note in notes)
    old, new = opened(source), opened(target)
    records = [psd._get_layer_info() for psd in (old, new)]  # noqa: SLF001 - as above
    index = None
    if records[0] is not None and records[0].layer_records:
        index = changed_layer(records[0].layer_records, records[1].layer_records)
    found = put_back(old, new, preview=kept or new.image_data.data == old.image_data.data)
    if index is not None:
        without_old_mask(old, index)
    if as_bytes(old) != as_bytes(new):
        return "different", "bytes outside the mask"
    PSDImage.open(target)
    if any("if that is not the photo" in note for note in notes):
        found.add("with a warning about the choice of layer")
    return "identical", "; ".join(sorted(found)) or "the mask alone"


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
