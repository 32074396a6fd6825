"""Named files: what settings of cutting, finishing and writing name on the disk, and whether it is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mattebox.core.settings.base import Settings
from mattebox.daemon.config.check import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.daemon.config.check import Location
    from mattebox.daemon.config.keys import Config


def missing_files(config: Config) -> list[Mistake]:
    """A mistake for each file that a setting names and that is not there.

    Of a name with a field in it, such as ./lit/{stem}_b.jpg, the folder has to be there. A daemon that
    starts asks for none of this: a share may be mounted after it.
    """
    parts: list[tuple[Location, Settings]] = [(("defaults",), config.defaults)]
    for index, folder in enumerate(config.folders):
        parts += [(("folders", index, "rules", number), rule) for number, rule in enumerate(folder.rules)]
    found = []
    for place, part in parts:
        for key in ("cut", "finish", "deliver"):
            for location, path in _paths((*place, key), getattr(part, key)):
                wanted = _without_fields(path)
                if not (wanted.is_file() if wanted == path else wanted.is_dir()):
                    what = "file" if wanted == path else "folder"
                    found.append(Mistake(location, f"{wanted}: there is no such {what}", at_value=True))
    return found


def _paths(place: Location, value: object) -> Iterator[tuple[Location, Path]]:
    """Every path that was written down in a part of the settings, and where."""
    if isinstance(value, Path):
        yield place, value
    elif isinstance(value, Settings):
        for name in sorted(value.model_fields_set):
            yield from _paths((*place, name), getattr(value, name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _paths((*place, number), item)


def _without_fields(path: Path) -> Path:
    """The part of a path before the first name with a field."""
    for number, name in enumerate(path.parts):
        if "{" in name:
            return Path(*path.parts[:number])
    return path
