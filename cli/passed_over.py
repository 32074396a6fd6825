"""What a walk through folders passes over although a photographer would call it a photo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mattebox.core.settings.endings import FOREIGN_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable


def passed_over(given: Iterable[Path]) -> list[Path]:
    """The files in the folders among `given` that are pictures by their ending, or photos without one.

    Hidden files and folders are left out, as `plan` leaves them out.
    """
    found = []
    for start in given:
        if not start.is_dir():
            continue
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [Path(folder, name) for name in sorted(names) if _is_picture(folder, name)]
    return found


def _is_picture(folder: str, name: str) -> bool:
    if name.startswith("."):
        return False
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending:
        return ending in FOREIGN_ENDINGS
    from mattebox.core.errors import MatteboxError  # noqa: PLC0415 - only for files without an ending
    from mattebox.core.photo.sniff import open_regular, sniff  # noqa: PLC0415
    from mattebox.core.settings.limits import ReadLimits  # noqa: PLC0415

    path = Path(folder, name)
    try:
        with open_regular(path, ReadLimits()) as file:
            return bool(sniff(file, path))
    except MatteboxError:
        return False
