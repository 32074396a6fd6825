"""Companions: which files beside a photo belong to it, by their names alone.

NAME.jpg.xmp and NAME.xmp are both in use (darktable, digiKam; Lightroom, Capture One, Photo Mechanic), and
so are both forms of the other programs' sidecars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mattebox.core.settings.endings import PHOTO_ENDINGS, RAW_ENDINGS

Pairs = Literal["both", "raw", "jpeg"]
# XMP; RawTherapee and ART; DxO; Capture One; ON1; Nikon; Apple; Canon; Adobe; cameras' thumbnails and memos.
SIDECARS: Final = frozenset("xmp pp3 arp dop cos on1 nksc aae vrd dr4 acr thm wav".split())  # noqa: SIM905 - a table of words
# What cameras write beside a RAW.
_PICTURES: Final = frozenset({"jpg", "jpeg", "jpe", "jfif", "heic", "heif", "hif"})


@dataclass(frozen=True, slots=True)
class CompanionRules:
    """The endings of companions in one folder, and which of a RAW and its JPEG is cut."""

    endings: frozenset[str]
    pairs: Pairs

    def is_sidecar(self, name: str) -> bool:
        """Whether a name is a companion's by its ending, whatever lies beside it."""
        return _split(name)[1] in self.endings

    def may_travel(self, name: str) -> bool:
        """Whether a photo goes along with the other of its pair, where that is there."""
        ending = _split(name)[1]
        return (self.pairs == "raw" and ending in _PICTURES) or (
            self.pairs == "jpeg" and ending in RAW_ENDINGS
        )

    def stem(self, name: str) -> str:
        """What the names of a photo and of all its companions have in common, without case."""
        stem, ending = _split(name)
        if ending in self.endings:
            inner, photo = _split(stem)
            stem = inner if photo in PHOTO_ENDINGS else stem
        return stem.casefold()

    def belong(self, name: str, photo: str) -> bool:
        """Whether the file `name` is a companion of `photo`, which lies in the same folder."""
        if self.stem(name) != self.stem(photo) or self.is_sidecar(photo):
            return False
        if not self.is_sidecar(name):
            return self.are_pair(name, photo)
        base = _split(name)[0]
        whole = _split(base)[1] in PHOTO_ENDINGS
        return not whole or base.casefold() == photo.casefold() or self.are_pair(base, photo)

    def are_pair(self, name: str, photo: str) -> bool:
        """Whether a photo of this name travels with another photo of the same stem."""
        if self.stem(name) != self.stem(photo):
            return False
        ending = _split(photo)[1]
        return self.may_travel(name) and ending in (RAW_ENDINGS if self.pairs == "raw" else _PICTURES)


def renamed(name: str, photo: str, final: str) -> str:
    """A companion's name beside `final`, the name that its `photo` has got: equal where that is equal."""
    if photo == final:
        return name
    for old, new in ((photo, final), (_split(photo)[0], _split(final)[0])):
        if name[: len(old) + 1].casefold() == f"{old}.".casefold():
            return new + name[len(old) :]
    return name


def checked_endings(value: object) -> frozenset[str]:
    """The endings that a person writes, without dots and case. Raises ValueError."""
    if not isinstance(value, list | tuple | set | frozenset):
        value = [value]
    found = set()
    for item in value:
        if not isinstance(item, str):
            told = f"write true, false or endings of companions, such as [xmp, pp3] (given: {item!r})"
            raise ValueError(told)  # noqa: TRY004 - pydantic tells ValueErrors alone
        text = item.removeprefix("*").removeprefix(".").lower()
        if not text or any(sign in text for sign in "/\\*?. "):
            raise ValueError(f"write endings of companions, such as [xmp, pp3] (given: {item!r})")
        if text in PHOTO_ENDINGS:
            raise ValueError(f"{text} is a photo's ending; pairs: raw, or jpeg, joins a RAW and its JPEG")
        found.add(text)
    return frozenset(found)


def _split(name: str) -> tuple[str, str]:
    """Stem and ending (lower case, without its dot)."""
    stem, dot, ending = name.rpartition(".")
    return (stem, ending.lower()) if dot and stem else (name, "")
