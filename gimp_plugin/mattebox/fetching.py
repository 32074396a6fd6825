"""The question before networks are fetched; nothing is fetched for a window without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.gimp_plugin.mattebox.networks import NetworkFacts
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from words import _

FETCH, WITHOUT, CANCEL = "fetch", "without", "cancel"


def ask_fetch(parent: Any, missing: Sequence[NetworkFacts], note: str, *, optional: bool = False) -> str:
    """FETCH, WITHOUT (where `optional`) or CANCEL: what a person says to networks that are not here.

    parent: the window that asks, or None. note: what is done without them.
    """
    asked = [f"{row.question}\n{row.licence_words}" for row in missing]
    text = "\n\n".join([*asked, note, _("The picture stays on this computer.")])
    question = Gtk.MessageDialog(
        transient_for=parent, modal=True, message_type=Gtk.MessageType.QUESTION, text=text
    )
    question.set_title(_("Fetch a Network"))
    question.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    if optional:
        question.add_button(_("_Without it"), Gtk.ResponseType.NO)
    question.add_button(_("_Fetch"), Gtk.ResponseType.OK)
    reply = question.run()
    question.destroy()
    return {Gtk.ResponseType.OK: FETCH, Gtk.ResponseType.NO: WITHOUT}.get(reply, CANCEL)
