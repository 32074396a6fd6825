"""The edge choices' controls: softness, shift, sharper, keep hair. Used by each window that shows a matte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.gimp_plugin.mattebox.protocol import EDGES
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from protocol import EDGES
    from words import _


def edge_labels() -> dict[str, tuple[str, str, float]]:
    """Of each number its label, what it does, and its step."""
    return {
        "softness": (_("So_ftness (pixels)"), _("Blurs the edge over so many pixels"), 0.5),
        "shift": (
            _("S_hift (pixels)"),
            _("Moves the edge: below 0 into the subject, above 0 away from it"),
            0.5,
        ),
        "sharper": (_("Shar_per"), _("Makes the edge steeper; 0 leaves it as it is, 1 is hard"), 0.05),
    }


def keep_hair_label() -> tuple[str, str]:
    """The label of "keep hair", and what it does."""
    return _("_Keep hair"), _("Leaves wide soft parts as they are: hair, fur, feathers")


class EdgeControls(Gtk.Grid):  # type: ignore[misc]  # gi has no types
    """A column of controls; `changed` is called after each change."""

    def __init__(self, values: dict[str, Any], changed: Callable[[], None]) -> None:
        """Begin with these values of EDGES and "keep_hair"."""
        super().__init__(row_spacing=4, column_spacing=8)
        self._numbers: dict[str, Any] = {}
        for row, (name, (text, blurb, step)) in enumerate(edge_labels().items()):
            _usual, low, high = EDGES[name]
            number = Gtk.SpinButton.new_with_range(low, high, step)
            number.set_digits(2 if name == "sharper" else 1)
            number.set_value(values.get(name, 0.0))
            number.set_tooltip_text(blurb)
            number.connect("value-changed", lambda _widget: changed())
            label = Gtk.Label(label=text, use_underline=True, xalign=0, mnemonic_widget=number)
            self.attach(label, 0, row, 1, 1)
            self.attach(number, 1, row, 1, 1)
            self._numbers[name] = number
        text, blurb = keep_hair_label()
        self._hair = Gtk.CheckButton(label=text, use_underline=True, tooltip_text=blurb)
        self._hair.set_active(bool(values.get("keep_hair")))
        self._hair.connect("toggled", lambda _widget: changed())
        self.attach(self._hair, 0, len(self._numbers), 2, 1)

    @property
    def values(self) -> dict[str, Any]:
        """What is chosen."""
        numbers = {name: round(number.get_value(), 3) for name, number in self._numbers.items()}
        return {**numbers, "keep_hair": self._hair.get_active()}
