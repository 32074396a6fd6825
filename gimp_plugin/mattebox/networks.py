"""The networks in words: what each is for, whether it is on this computer, what its licence allows.

Standard library only, Python 3.9 and later; facts come from the record beside the plug-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.words import _

    # All networks that find subjects, and the one that judges.
    Known = tuple[list["NetworkFacts"], "NetworkFacts | None"]
else:
    try:
        from words import _
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.words import _

USUAL = "u2net"
JUDGE = "mobile-sam"  # answers clicks, and judges whole parts where the quality is not the quick one


@dataclass(frozen=True)
class NetworkFacts:
    """One network. size: bytes to fetch, 0 where nobody says; commercial: None where nobody says."""

    name: str
    label: str
    here: bool
    size: int
    licence: str
    commercial: bool | None

    @property
    def words(self) -> str:
        """What it is for."""
        return purposes().get(self.name, self.label)

    @property
    def choice(self) -> str:
        """Its line in a list: what it is for, where it is, and what its licence forbids."""
        parts = [self.words, _("on this computer") if self.here else self._to_fetch()]
        if self.commercial is False:
            parts.append(_("not for commercial use"))
        elif self.commercial is None:
            parts.append(_("licence not stated"))
        return ", ".join(parts)

    @property
    def question(self) -> str:
        """What is asked before it is fetched."""
        return _("The network “{name}” is not on this computer. Fetch it now ({size})?").format(
            name=self.words, size=_("{count} MB").format(count=self.megabytes)
        )

    @property
    def licence_words(self) -> str:
        """What its licence allows."""
        if self.commercial:
            return _("Its licence ({licence}) allows commercial use.").format(licence=self.licence)
        if self.commercial is False:
            return _("Its licence ({licence}) forbids commercial use.").format(licence=self.licence)
        return _("Nobody states whether it may be used commercially ({licence}).").format(
            licence=self.licence
        )

    @property
    def megabytes(self) -> int:
        """Its size in MB, as people count them."""
        return max(1, round(self.size / 1_000_000))

    def _to_fetch(self) -> str:
        return _("{count} MB to fetch").format(count=self.megabytes) if self.size else _("to be fetched")


def purposes() -> dict[str, str]:
    """What the networks that we know are for."""
    return {
        "u2net": _("Standard"),
        "u2netp": _("Quick and coarse"),
        "u2net_human_seg": _("People"),
        "silueta": _("Standard, small"),
        "isnet-general-use": _("Fine structures"),
        "isnet-anime": _("Drawn characters"),
        "birefnet-general": _("Finest edges"),
        "birefnet-general-lite": _("Fine edges"),
        "birefnet-general-lite-fp16": _("Fine edges, half the size"),
        "birefnet-lite-512": _("Fine edges, quick"),
        "birefnet-lite-512-fp16": _("Fine edges, quick, half the size"),
        "birefnet-portrait": _("Portraits, finest edges"),
        "bria-rmbg": _("Products, finest edges"),
        "imgly-isnet": _("Fine structures, half the size"),
        JUDGE: _("Clicks, and what belongs together"),
    }


def facts_of(networks: list[list[str]], catalogue: dict[str, Any], models: str) -> list[NetworkFacts]:
    """All networks of a record; whether each is here is looked up now."""
    found = []
    for name, label in networks:
        row = catalogue.get(name, {})
        # A record of an older mattebox names no files: what is not known to be missing counts as here.
        here = not row or not models or (Path(models) / str(row.get("file", ""))).is_file()
        size, commercial = row.get("size"), row.get("commercial")
        found.append(
            NetworkFacts(
                name=name,
                label=label,
                here=here,
                size=size if isinstance(size, int) else 0,
                licence=str(row.get("licence", "")),
                commercial=commercial if isinstance(commercial, bool) or row else True,
            )
        )
    return found


def judge_of(catalogue: dict[str, Any], models: str) -> NetworkFacts | None:
    """The network that answers clicks and judges; None where a record of an older mattebox does not tell."""
    return facts_of([[JUDGE, JUDGE]], catalogue, models)[0] if JUDGE in catalogue else None


def missing_of(
    networks: list[NetworkFacts], judge: NetworkFacts | None, name: str, quality: str
) -> list[NetworkFacts]:
    """What a cut by the network `name` would fetch first."""
    wanted = [row for row in networks if row.name == name]
    if judge is not None and quality != "fast":
        wanted.append(judge)
    return [row for row in wanted if not row.here]


def refused_licence(networks: list[NetworkFacts], settings: dict[str, Any], box: str) -> str:
    """The sentence where a network's licence asks for consent that was not given in `box`; else nothing."""
    refused = [row for row in networks if row.name == settings.get("model") and row.commercial is False]
    if not refused or settings.get("accept_licence"):
        return ""
    return _(
        "{licence} Tick “{box}” in the dialog (accept-licence in a script) if your use is not commercial; "
        "nothing was changed."
    ).format(licence=refused[0].licence_words, box=box)
