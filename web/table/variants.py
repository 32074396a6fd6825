"""Variants: the same photo by other settings, side by side; in the engine's one thread."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.photo import read_photo
from mattebox.web.table.pictures import cut, png, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mattebox.core.engine import Engine
    from mattebox.core.photo import Pixels
    from mattebox.web.table.sources import Sources

QUALITIES: Final = ("fast", "balanced", "best")
_SIDE: Final = 1000
_KEPT: Final = 8


def variants_of(model: str, networks: Sequence[str]) -> list[dict[str, str]]:
    """What is compared: every quality of the rule's network, and the first others that are here."""
    others = [name for name in networks if name != model]
    return [*({"quality": quality} for quality in QUALITIES), *({"model": name} for name in others[:3])]


class Variants:
    """Mattes by other settings, the last few of them kept until one is taken."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """engine: gives the loaded networks, when they are wanted first."""
        self._engine = engine
        self._mattes: OrderedDict[tuple[str, str], Pixels] = OrderedDict()
        # What is on the page: what was asked for before and is not begun is left.
        self.wanted = ""

    def picture(self, sources: Sources, changes: dict[str, str]) -> bytes:
        """The cutout by other settings as PNG. Raises SettingsError where nobody waits for it any more."""
        if self.wanted != sources.job:
            raise SettingsError("Another photo is being compared by now.")
        alpha = self.matte(sources, changes)
        assert sources.photo is not None  # noqa: S101 - matte() has read it
        photo = read_photo(sources.photo, sources.cut.limits, longest=_SIDE)
        return png(cut(seen(photo, _SIDE), alpha))

    def matte(self, sources: Sources, changes: dict[str, str]) -> Pixels:
        """The matte by other settings, at the photo's own size and depth."""
        key = (sources.key, repr(sorted(changes.items())))
        if key not in self._mattes:
            if sources.photo is None:
                raise PhotoError(f"{sources.name}: the photo lies nowhere that the journal knows.")
            photo = read_photo(sources.photo, sources.cut.limits)
            settings = sources.cut.model_copy(update={**changes, "decontaminate": False})
            self._mattes[key] = self._engine().cut(photo, settings).alpha
            while len(self._mattes) > _KEPT:
                self._mattes.popitem(last=False)
        self._mattes.move_to_end(key)
        return self._mattes[key]
