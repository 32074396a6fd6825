"""The user's language, by gettext: English is the source, locale/ holds the others.

Standard library and GLib alone. GLib knows the language that GIMP runs in on every platform; outside of GIMP,
where the plug-in's files are a part of mattebox, all is English.
"""

from __future__ import annotations

import gettext
from pathlib import Path

try:
    from gi.repository import GLib
except ImportError:  # imported as a part of mattebox, not run by GIMP
    _languages = ["C"]
else:
    _languages = GLib.get_language_names()

DOMAIN = "mattebox"
LOCALE = Path(__file__).resolve().parent / "locale"
_translation = gettext.translation(DOMAIN, LOCALE, languages=_languages, fallback=True)


def _(text: str) -> str:
    """A text in the user's language; itself where nobody has translated it."""
    return _translation.gettext(text)
