"""The ranges of a network's activations over photos, for models/measured/: with them 8 bits take seconds.

    python -m bench.ranges u2net FOLDER...        photos evenly from each, by name

Ranges are numbers about the network: nothing of a photo can be read from them.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mattebox.core.network.pictures import CALIBRATE, synthetic_scenes
from mattebox.core.network.quantize import measure
from mattebox.core.photo import read_photo
from mattebox.core.segment.view import LONGEST, network_view
from mattebox.models.catalogue import find_network
from mattebox.models.ranges import ranges_file
from mattebox.models.store import Store

_DIGITS = 6


@click.command()
@click.argument("name")
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--each", default=12, show_default=True, help="Photos of each folder.")
def main(name: str, folders: tuple[Path, ...], each: int) -> None:
    """Measure the network NAME over photos of FOLDERS and write its file of ranges."""
    network, store = find_network(name), Store()
    views = []
    for folder in folders:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        views += [
            network_view(read_photo(path, longest=LONGEST))
            for path in paths[:: max(1, len(paths) // each)][:each]
        ]
    # Drawn scenes run from flat to clipped, further than ordinary photos: a quarter less difference.
    found = measure(network, store.path(network), [*views, *synthetic_scenes(CALIBRATE)])
    rows = {key: [float(f"{end:.{_DIGITS}g}") for end in found[key]] for key in sorted(found)}
    record = {"sha256": store.verify(network), "photos": len(views), "drawn": CALIBRATE, "ranges": rows}
    ranges_file(network).parent.mkdir(exist_ok=True)
    ranges_file(network).write_text(json.dumps(record, indent=0) + "\n", encoding="utf-8")
    click.echo(f"{len(rows)} tensors over {len(views)} photos and {CALIBRATE} drawn scenes")


if __name__ == "__main__":
    main()
