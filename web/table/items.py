"""Items: what the page shows of each photo, and what of it has changed since it was told last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mattebox.daemon.journal.overview import JobSummary

# What a person wants to know of a job's state; every other state is work on its way.
_STATES: Final = {"review": "review", "done": "done", "duplicate": "done", "failed": "failed"}

Item = dict[str, Any]


def item_of(seen: JobSummary) -> Item:
    """One photo for the page, as JSON-ready data. v: another number once its pictures may be others."""
    state = _STATES.get(seen.state, "work")
    return {
        "id": seen.id,
        "name": seen.source,
        "folder": seen.folder,
        "rule": seen.rule,
        "state": state,
        "confidence": seen.confidence if state != "work" else None,
        "warnings": list(seen.warnings),
        "notes": list(seen.notes),
        "box": None if seen.box is None else list(seen.box),
        "why": seen.why,
        "verdict": seen.verdict,
        # Delivered as it came: no person has approved it.
        "unseen": seen.state == "done" and seen.phase != "approved" and seen.confidence is not None,
        "how": {name: value for name, value in seen.settings.items() if isinstance(value, str)},
        "mended": seen.mended,
        "sent": seen.sent,
        "v": f"{seen.updated:.3f}.{seen.decided:.3f}" if seen.mended else f"{seen.updated:.3f}",
    }


class KnownItems:
    """What the page was told of every photo."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def update(self, seen: Iterable[JobSummary]) -> list[Item]:
        """Take over what the journal says of some jobs; those of them that changed."""
        changed = [item for item in map(item_of, seen) if self.items.get(item["id"]) != item]
        self.items = {**self.items, **{item["id"]: item for item in changed}}
        return changed

    def take(self, seen: Iterable[JobSummary]) -> tuple[list[Item], list[str]]:
        """Take over what the journal says now; the items that changed or are new, and the ids of others."""
        now = {item["id"]: item for item in map(item_of, seen)}
        changed = [item for job, item in now.items() if self.items.get(job) != item]
        gone = [job for job in self.items if job not in now]
        self.items = now
        return changed, gone
