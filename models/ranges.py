"""Ranges of a network's activations that were measured once: what 8 bits need to know of photos.

`models/measured/NAME.json` holds the least and the greatest value of each tensor over photos and drawn
scenes, and the sha256 of the weights that gave them; `bench/ranges.py` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mattebox.models.catalogue import Network

_FOLDER: Final = Path(__file__).parent / "measured"


def ranges_file(network: Network) -> Path:
    """Where a network's ranges lie, or would lie."""
    return _FOLDER / f"{network.name}.json"


def find_ranges(network: Network) -> dict[str, tuple[float, float]] | None:
    """Each tensor's least and greatest value, for these very weights; None where nobody measured them."""
    try:
        record = json.loads(ranges_file(network).read_bytes())
    except OSError:
        return None
    if network.sha256 is None or record["sha256"] != network.sha256:
        return None
    return {name: (low, high) for name, (low, high) in record["ranges"].items()}
