"""Which photo becomes which file: names are settled before any work starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.core.names import fit
from mattebox.core.publish import STAGED_PREFIX, numbered
from mattebox.core.settings import ENDINGS, format_of_ending
from mattebox.core.settings.endings import PHOTO_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_OWN_ENDINGS: Final = (".cutout.", ".mask.")


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """One photo and the files that it becomes, one a format."""

    source: Path
    targets: tuple[tuple[str, Path], ...]


class PlanError(Exception):
    """The command's arguments contradict each other; the text is a sentence for the user."""


def plan(
    photos: Sequence[Path], output: Path | None, formats: Sequence[str], *, as_folder: bool = False
) -> list[PlannedPhoto]:
    """Give every photo its output names; two outputs of one name get a number.

    photos: files and folders as given; a folder is walked, its tree kept below `output`.
    output: None (beside the photo), a file, or a folder (`as_folder`: it was written with a slash).
    formats: what was asked for; empty means the ending of `output`, else png.
    Raises PlanError where -o and the formats contradict each other.
    """
    if output is not None and _names_a_file(photos, output, as_folder=as_folder):
        return [PlannedPhoto(photos[0], ((_format_of_file(output, formats), output),))]
    taken: set[str] = set()
    places: dict[str, int] = {}
    planned = []
    for source, tree in _walk(photos):
        targets = []
        for name in formats or ("png",):
            wished = _target(source, tree, output, name)
            key = _key(wished)
            place = places.get(key, 0)
            while _key(numbered(wished, place)) in taken:
                place += 1
            # Many photos of one name: the next one goes on where this one found its number.
            places[key] = place + 1
            free = numbered(wished, place)
            taken.add(_key(free))
            targets.append((name, free))
        planned.append(PlannedPhoto(source, tuple(targets)))
    return planned


def without_existing(planned: Sequence[PlannedPhoto]) -> tuple[list[PlannedPhoto], int]:
    """What is still to be done, each photo with its missing files alone, and how many photos are complete."""
    left = []
    for item in planned:
        missing = tuple((name, target) for name, target in item.targets if not os.path.lexists(target))
        if missing:
            left.append(PlannedPhoto(item.source, missing))
    return left, len(planned) - len(left)


def _names_a_file(photos: Sequence[Path], output: Path, *, as_folder: bool) -> bool:
    if as_folder or output.is_dir():
        return False
    if len(photos) != 1 or photos[0].is_dir():
        if output.suffix and format_of_ending(output.suffix[1:]) is not None:
            raise PlanError(
                f"{output}: several photos cannot become one file; end the name with a slash where a folder "
                "is meant."
            )
        return False
    if not output.suffix:
        return False
    if format_of_ending(output.suffix[1:]) is None:
        known = ", ".join(sorted({ending.rpartition(".")[2] for ending in ENDINGS.values()}))
        raise PlanError(
            f"{output}: {output.suffix} is no ending that can be written ({known}); "
            "end the name with a slash where a folder is meant."
        )
    return True


def _format_of_file(output: Path, formats: Sequence[str]) -> str:
    by_ending = format_of_ending(output.suffix[1:])
    assert by_ending is not None  # noqa: S101 - _names_a_file has refused the others
    if len(formats) > 1:
        raise PlanError(f"{output}: one file cannot hold several formats; name a folder with -o.")
    if formats and formats[0] != by_ending and not (formats[0] == "mask" and by_ending == "png"):
        raise PlanError(f"{output}: the ending says {by_ending} and --format says {formats[0]}.")
    return formats[0] if formats else by_ending


def _walk(photos: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Each photo with the sub-folder that it keeps below the output folder."""
    for given in photos:
        if not given.is_dir():
            yield given, Path()
            continue
        for folder, folders, names in os.walk(given):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if _is_photo_name(name):
                    yield Path(folder, name), Path(folder).relative_to(given)


def _is_photo_name(name: str) -> bool:
    if name.startswith((".", STAGED_PREFIX)) or any(own in name for own in _OWN_ENDINGS):
        return False
    return name.rpartition(".")[2].lower() in PHOTO_ENDINGS


def _target(source: Path, tree: Path, output: Path | None, name: str) -> Path:
    if output is not None:
        return output / tree / fit(source.stem, f".{ENDINGS[name]}")
    middle = "" if name == "mask" else "cutout."
    return source.with_name(fit(source.stem, f".{middle}{ENDINGS[name]}"))


def _key(path: Path) -> str:
    # Case is folded because many file systems do: IMG.png and img.png may be one file.
    return os.path.normcase(path.absolute()).casefold()
