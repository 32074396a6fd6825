"""The procedures' dialog: what a retoucher needs at once, the rest in an expander, the idle choices gray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, GObject  # noqa: E402 - versions are chosen first

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.gimp_plugin.mattebox.client import Record
    from mattebox.gimp_plugin.mattebox.effects import EFFECTS, has_effect
    from mattebox.gimp_plugin.mattebox.fetching import FETCH, ask_fetch
    from mattebox.gimp_plugin.mattebox.networks import (
        JUDGE,
        USUAL,
        Known,
        NetworkFacts,
        missing_of,
    )
    from mattebox.gimp_plugin.mattebox.preview import Preview
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from effects import EFFECTS, has_effect
    from fetching import FETCH, ask_fetch
    from networks import JUDGE, USUAL, missing_of
    from preview import Preview
    from words import _

FIRST = ("model", "quality", "refine", "result", "existing", "inside-selection")
MORE = ("and-selection", "and-channel", "on-copy")
SELDOM = ("rule-file", "rule", "accept-licence")


def ask_mask(procedure: Any, config: Any, title: str, known: Known, shown: tuple[Record, Any]) -> bool:
    """Ask for the settings of "Mask the Subject", and before networks are fetched whether they may be.

    shown: the record and the layer of the preview.
    """
    GimpUi.init("mattebox")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.fill_box("several", list(MORE))
    dialog.get_label("several-title", _("More than one result"), False, False)
    dialog.fill_expander("also", "several-title", False, "several")
    dialog.fill_box("seldom", list(SELDOM))
    dialog.get_label("seldom-title", _("Hot-folder rules and licences"), False, False)
    dialog.fill_expander("more", "seldom-title", False, "seldom")
    dialog.fill([*FIRST, "also", "more"])
    _gray_out(dialog, config, known[0])
    preview = Preview(shown[0], config, shown[1], known)
    dialog.get_content_area().pack_start(preview, False, False, 0)
    preview.show_all()

    def missing() -> list[NetworkFacts]:
        if config.get_property("rule-file") is not None:
            return []
        return missing_of(*known, config.get_property("model"), config.get_property("quality"))

    agreed = _agreed(dialog, missing)
    preview.end()
    dialog.destroy()
    return agreed


def ask_refine(procedure: Any, config: Any, title: str, known: Known) -> bool:
    """Ask for all settings of "Refine Mask Edges", in their own order, and as ask_mask() before a fetch."""
    GimpUi.init("mattebox")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.fill(None)

    def missing() -> list[NetworkFacts]:
        # A plain shape is looked into by networks; the edges of a matte are not.
        return [] if config.get_property("refine") == "none" else missing_of(*known, USUAL, "balanced")

    agreed = _agreed(dialog, missing)
    dialog.destroy()
    return agreed


def _agreed(dialog: Any, missing: Callable[[], list[NetworkFacts]]) -> bool:
    """Whether OK was pressed, and what is missing may be fetched; without that the dialog stays."""
    while dialog.run():
        wanted = missing()
        note = _("The quality “Quick” does without it.") if any(row.name == JUDGE for row in wanted) else ""
        if not wanted or ask_fetch(dialog, wanted, note) == FETCH:
            return True
    return False


def _gray_out(dialog: Any, config: Any, networks: list[NetworkFacts]) -> None:
    forbidding = {row.name for row in networks if row.commercial is False}

    def update(*_changed: Any) -> None:
        for name in EFFECTS:
            widget = dialog.get_widget(name, GObject.TYPE_NONE)
            if widget is not None:
                widget.set_sensitive(has_effect(name, config.get_property, forbidding))

    for name in ("result", "and-selection", "rule-file", "model"):
        config.connect(f"notify::{name}", update)
    update()
