"""The plug-in's words in other languages: whole, current, and with the same places for values."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from mattebox.gimp_plugin.install import SOURCE, files

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDERS = sorted((SOURCE / "locale").glob("*/LC_MESSAGES"))
PLACES = re.compile(r"\{[a-z]+\}")


def texts() -> set[str]:
    """Every text that the plug-in's code gives to gettext."""
    found = extract_from_dir(str(SOURCE), method_map=[("**.py", "python")], keywords={"_": None})
    return {str(message[2]) for message in found}


def catalogue(folder: Path) -> Catalog:
    """The translations in a folder."""
    with (folder / "mattebox.po").open("rb") as file:
        return read_po(file)


def test_german_and_other_large_languages_are_there() -> None:
    """German comes first, and there are several more."""
    assert {"de", "es", "fr"} <= {folder.parent.name for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_text_is_translated(folder: Path) -> None:
    """No text is missing, none is left over, and each value has its place."""
    known = {str(message.id): str(message.string) for message in catalogue(folder) if message.id}
    assert set(known) == texts()
    for text, translation in known.items():
        assert translation.strip()
        assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(translation))
        assert text.count("_") <= 1 or "{" in text
        assert translation.endswith("...") == text.endswith("...")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_compiled_translations_are_those_of_their_source(folder: Path) -> None:
    """The .mo that GIMP reads is what the .po beside it compiles to, and it is installed."""
    made = io.BytesIO()
    write_mo(made, catalogue(folder))
    assert (folder / "mattebox.mo").read_bytes() == made.getvalue()
    assert (folder / "mattebox.mo").relative_to(SOURCE).as_posix() in files()
