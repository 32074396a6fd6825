"""The procedures' dialog: what a retoucher needs at once, the rest in an expander, the idle choices gray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, GObject, Gtk  # noqa: E402 - versions are chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.client import Record
    from mattebox.gimp_plugin.mattebox.effects import EFFECTS, has_effect
    from mattebox.gimp_plugin.mattebox.networks import NetworkFacts
    from mattebox.gimp_plugin.mattebox.preview import Preview
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from effects import EFFECTS, has_effect
    from preview import Preview
    from words import _

FIRST = ("model", "quality", "refine", "result", "existing", "inside-selection")
MORE = ("and-selection", "and-channel", "on-copy")
SELDOM = ("rule-file", "rule", "accept-licence")


def ask_mask(
    procedure: Any, config: Any, title: str, networks: list[NetworkFacts], shown: tuple[Record, Any]
) -> bool:
    """Ask for the settings of "Mask the Subject", and before a network is fetched whether it may be.

    shown: the record and the layer of the preview.
    """
    GimpUi.init("mattebox")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.fill_box("seldom", list(SELDOM))
    dialog.get_label("seldom-title", _("Hot-folder rules and licences"), False, False)
    dialog.fill_expander("more", "seldom-title", False, "seldom")
    dialog.fill_box("several", list(MORE))
    dialog.get_label("several-title", _("More than one result"), False, False)
    dialog.fill_expander("also", "several-title", False, "several")
    dialog.fill([*FIRST, "also", "more"])
    _gray_out(dialog, config, networks)
    preview = Preview(shown[0], config, shown[1], networks)
    dialog.get_content_area().pack_start(preview, False, False, 0)
    preview.show_all()
    agreed = False
    while not agreed and dialog.run():
        agreed = _may_fetch(dialog, config, networks)
    preview.end()
    dialog.destroy()
    return agreed


def ask_plainly(procedure: Any, config: Any, title: str) -> bool:
    """Ask for all settings of a procedure, in their own order."""
    GimpUi.init("mattebox")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.fill(None)
    agreed = bool(dialog.run())
    dialog.destroy()
    return agreed


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


def _may_fetch(dialog: Any, config: Any, networks: list[NetworkFacts]) -> bool:
    """Whether the chosen network is here, or may be fetched."""
    chosen = [row for row in networks if row.name == config.get_property("model")]
    if config.get_property("rule-file") is not None or not chosen or chosen[0].here:
        return True
    question = Gtk.MessageDialog(
        transient_for=dialog, modal=True, message_type=Gtk.MessageType.QUESTION, text=chosen[0].question
    )
    question.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    question.add_button(_("_Fetch"), Gtk.ResponseType.OK)
    agreed = question.run() == Gtk.ResponseType.OK
    question.destroy()
    return bool(agreed)
