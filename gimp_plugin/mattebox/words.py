"""The user's language, by gettext: English is the source, locale/ holds the others.

Standard library and GLib alone. GLib knows the language that GIMP runs in on every platform.
"""

from __future__ import annotations

import gettext
from pathlib import Path

from gi.repository import GLib

DOMAIN = "mattebox"
LOCALE = Path(__file__).resolve().parent / "locale"
_translation = gettext.translation(DOMAIN, LOCALE, languages=GLib.get_language_names(), fallback=True)


def _(text: str) -> str:
    """A text in the user's language; itself where nobody has translated it."""
    return _translation.gettext(text)
