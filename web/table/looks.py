"""Looks: which delivered cutouts the page asks about, so that a share of wrong ones can be promised.

Cutouts that were delivered with no review are drawn from once a folder rests; the drawing, and what was said
of it, are the journal's (`daemon/report/promise.py`). Accepted is right, rejected wrong.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import SettingsError
from mattebox.daemon.report.promise import items_of, known, next_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mattebox.daemon.journal.drawings import DrawnJob
    from mattebox.daemon.journal.journal import Journal
    from mattebox.web.table.items import Item

# What can be promised, as shares of wrong ones; 0 promises nothing and asks nothing.
SHARES: Final = (0.0, 0.01, 0.02, 0.05, 0.1)
# Each drawing is a stratum of its own: what comes later is drawn from when nothing was added for so long.
_REST: Final = 60.0
# So many looks are named ahead.
_AHEAD: Final = 50


class Looks:
    """What is promised at this table; each call belongs into the journal's thread."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        """What was promised before goes on. Raises JournalError."""
        rows = [row for folder in journal.drawings.folders() for row in journal.drawings.of(folder)]
        newest = max(rows, key=lambda row: row.wave, default=None)
        self.share = newest.share if newest is not None else 0.0
        # How many of each folder no drawing holds yet.
        self.undrawn: dict[str, int] = {}
        self._held = {row.job for row in rows}
        self._clock = clock
        self._since: dict[str, tuple[frozenset[str], float]] = {}

    def choose(self, journal: Journal, share: float, items: Iterable[Item]) -> None:
        """Promise another share, or 0 for none, and draw. Raises SettingsError, JournalError.

        A folder of which something was looked at keeps its promise: the bound's mixture is fixed before that.
        """
        if share not in SHARES:
            raise SettingsError("Promise at most 1, 2, 5 or 10 % wrong ones, or nothing.")
        self.share = share
        if share:
            for folder in journal.drawings.folders():
                if all(row.right is None for row in journal.drawings.of(folder)):
                    with journal.transaction():
                        journal.drawings.promise(folder, share=share)
            self.draw(journal, items, rested=True)

    def draw(self, journal: Journal, items: Iterable[Item], *, rested: bool = False) -> bool:
        """Draw from what was delivered in folders that rest; whether there is news. Raises JournalError.

        rested: do not wait whether more is coming, except where photos are in work.
        """
        if not self.share:
            return False
        new, working = _delivered(items)
        before, self.undrawn = self.undrawn, {}
        drawn = 0
        for folder, jobs in new.items():
            if not jobs.keys() - self._held:
                continue
            rows = journal.drawings.of(folder)
            self._held |= {row.job for row in rows}
            jobs = {job: sure for job, sure in jobs.items() if job not in self._held}  # noqa: PLW2901 - fewer
            if not jobs:
                continue
            if folder in working or not (rested or self._rests(folder, frozenset(jobs))):
                self.undrawn[folder] = len(jobs)
                continue
            share = rows[-1].share if any(row.right is not None for row in rows) else self.share
            with journal.transaction():
                drawn += journal.drawings.draw(folder, jobs, share=share)
            self._held |= jobs.keys()
        return bool(drawn) or self.undrawn != before

    def _rests(self, folder: str, jobs: frozenset[str]) -> bool:
        if self._since.get(folder, (None, 0.0))[0] != jobs:
            self._since[folder] = (jobs, self._clock())
        return self._clock() - self._since[folder][1] >= _REST


def judged(journal: Journal, jobs: Iterable[str]) -> None:
    """What is decided of drawn jobs now is what was said of them; belongs into the decision's transaction."""
    for job in jobs:
        decision = journal.decisions.of(job)
        said = decision.verdict if decision is not None else ""
        journal.drawings.look(job, right={"accept": True, "reject": False, "back": False}.get(said))


def drawn_in(journal: Journal) -> dict[str, list[DrawnJob]]:
    """Every folder's drawn jobs. Raises JournalError."""
    return {folder: rows for folder in journal.drawings.folders() if (rows := journal.drawings.of(folder))}


def told(drawn: Mapping[str, Sequence[DrawnJob]], undrawn: Mapping[str, int]) -> list[dict[str, Any]]:
    """What is known of each folder, as JSON-ready data: a sentence, and the looks that it needs next."""
    found = []
    for folder in sorted({*drawn, *undrawn}):
        items, promise = items_of(drawn.get(folder, ()))
        now = known(items, promise)
        parts = [now.sentence] if items else []
        if (more := undrawn.get(folder, 0)) > 0:
            what = "1 more was" if more == 1 else f"{more} more were"
            parts.append(f"{what} delivered, to be drawn from when the folder rests.")
        looks = [] if not items or now.holds else next_looks(items, min(now.needs, _AHEAD))
        found.append(
            {
                "folder": folder,
                "sentence": " ".join(parts),
                "holds": bool(items) and now.holds,
                "by_sample": now.by_sample,
                "looks": looks,
            }
        )
    return found


def sentences(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sentences, each with its folder's name where there are several."""
    return [
        f"{each['folder']}: {each['sentence']}" if len(found) > 1 else str(each["sentence"]) for each in found
    ]


def no_promise() -> dict[str, Any]:
    """What a page is told where nothing is promised."""
    return {"share": 0.0, "folders": [], "sentences": [], "looks": []}


def promise_told(
    share: float, drawn: Mapping[str, Sequence[DrawnJob]], undrawn: Mapping[str, int]
) -> dict[str, Any]:
    """What a page is told of its promise. looks: the next ones of all folders, in their order."""
    if not share:
        return no_promise()
    found = told(drawn, undrawn)
    lines = sentences(found) or ["Nothing was delivered yet without a review."]
    looks = [job for each in found for job in each["looks"]]
    return {"share": share, "folders": found, "sentences": lines, "looks": looks}


def _delivered(items: Iterable[Item]) -> tuple[dict[str, dict[str, float]], set[str]]:
    """Each folder's cutouts that were delivered with no look at them; the folders with photos in work."""
    new: dict[str, dict[str, float]] = {}
    working = set()
    for item in items:
        if item["state"] == "work":
            working.add(item["folder"])
        elif item["unseen"] and not item["verdict"]:
            new.setdefault(item["folder"], {})[item["id"]] = item["confidence"]
    return new, working
