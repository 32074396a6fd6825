"""Desk: a journal under the page's hands; every call belongs into the one thread that opened it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import SettingsError
from mattebox.core.names import fit, split
from mattebox.daemon.delivery.decided import review_psd
from mattebox.daemon.delivery.recall import may_recall
from mattebox.daemon.errors import LostJournalError
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.status import is_running
from mattebox.web.table.items import KnownItems
from mattebox.web.table.looks import Looks, drawn_in, judged
from mattebox.web.table.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mattebox.daemon.journal.decisions import Verdict
    from mattebox.daemon.journal.drawings import DrawnJob
    from mattebox.daemon.journal.rows import JobRow
    from mattebox.web.table.items import Item
    from mattebox.web.table.sources import Sources

_MATTES: Final = "mattes"
# After so many seconds a matte that was taken back is gone.
_OLD: Final = 7 * 86400.0
# So many jobs are asked for by name; of more all are read.
_FEW: Final = 500
_QUALITIES: Final = ("fast", "balanced", "best")


class Desk:
    """What the page sees and changes of the hot folders of one configuration."""

    # Whether the page itself delivers what was sent, for there is no daemon that would.
    delivers = False
    # Why what was delivered does not come back, where it does not.
    stays = (
        "it cannot come back, for its rule has no review or its original was taken away; give the photo to "
        "the hot folder again."
    )
    # Whether cutouts are delivered that nobody looked at.
    may_promise = True

    def __init__(self, state: Path, title: str, journal: Journal | None = None) -> None:
        """`state`: the journal's folder. Raises JournalError, StateLockedError."""
        self.state, self.title = state, title
        self.journal = journal if journal is not None else Journal(state, lock=False)
        self.known = KnownItems()
        self.looks = Looks(self.journal)
        self._version: int | None = None
        self._sweep()

    def changes_of(self, jobs: Sequence[str]) -> list[Item]:
        """What is new about jobs that were decided here: the others need not be read. Raises JournalError."""
        few = jobs if len(jobs) <= _FEW else None
        return self.known.update(self.journal.overview(few))

    def changes(self) -> tuple[list[Item], list[str]]:
        """What another process has changed since this was asked last. Raises JournalError."""
        try:
            self.journal.check_there()
        except LostJournalError:
            # A damaged journal was set aside, or the state folder deleted: what is there now counts.
            self.journal.close()
            self.journal = Journal(self.state, lock=False)
            self.looks = Looks(self.journal)
            self._version = None
        found = self.journal.version()
        if found == self._version:
            return [], []
        self._version = found
        return self.known.take(self.journal.overview())

    def sources(self, job_id: str) -> Sources:
        """The files of one job. Raises KeyError, JournalError, OSError."""
        return sources_of(self.journal, job_id)

    def decide(
        self,
        jobs: Iterable[str],
        verdict: Verdict,
        *,
        settings: Mapping[str, Any] | None = None,
        matte: Path | None = None,
    ) -> list[str]:
        """Decide the same of those of `jobs` that the journal knows and that are open; these.

        Raises SettingsError where none of those that were delivered can come back into review.
        """
        states = self.journal.states()
        known = [job_id for job_id in dict.fromkeys(jobs) if _may(states.get(job_id), verdict)]
        if verdict == "back":
            known = self._that_may_come_back(known)
        if known:
            with self.journal.transaction():
                self.journal.decisions.decide(known, verdict, settings=settings, matte=matte)
                judged(self.journal, known)
        return known

    def _that_may_come_back(self, jobs: Sequence[str]) -> list[str]:
        rows = [self.journal.job(job_id) for job_id in jobs]
        found = [job.id for job in rows if may_recall(self.journal, job)]
        if rows and not found:
            raise SettingsError(f"{rows[0].plan.name}: {self.stays}")
        return found

    def undo(self) -> list[str]:
        """Take the last step back; the jobs that it was about."""
        with self.journal.transaction():
            jobs = self.journal.decisions.undo()
            judged(self.journal, jobs)
            return jobs

    def promise(self, share: float) -> None:
        """Promise that at most this share of what nobody looks at is wrong; 0: nothing."""
        self.looks.choose(self.journal, share, self.known.items.values())

    def draw(self) -> bool:
        """Draw from what was delivered meanwhile, as far as it rests; whether that is news."""
        return self.looks.draw(self.journal, self.known.items.values())

    def drawn(self) -> dict[str, list[DrawnJob]]:
        """What was drawn to be looked at, by folder, with what was said of it."""
        return drawn_in(self.journal)

    def send(self) -> list[str]:
        """Have all marks carried out; their jobs."""
        with self.journal.transaction():
            return self.journal.decisions.send()

    def keep_matte(self, job_id: str, data: bytes) -> Path:
        """A new file with a mended matte of a job, synced, under a name that a person will understand."""
        path = self.new_matte(self.journal.job(job_id))
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return path

    def new_matte(self, job: JobRow) -> Path:
        """A new name for a matte of a job. Raises OSError."""
        folder = self.state / _MATTES
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder / fit(split(job.plan.name)[0], f".{job.id}.{os.urandom(3).hex()}.matte.png")

    def psd(self, job: JobRow) -> Path | None:
        """The PSD of a job that may be opened elsewhere, or None. Raises OSError."""
        return review_psd(self.journal, job)

    def job(self, job_id: str) -> JobRow:
        """One job. Raises KeyError."""
        return self.journal.job(job_id)

    def is_delivering(self) -> bool:
        """Whether a daemon is there that carries out what is sent."""
        return is_running(self.state)

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def _sweep(self) -> None:
        """Delete mattes that no decision names any more: each was mended, and then taken back long ago."""
        named = self._named_mattes()
        before = time.time() - _OLD
        with suppress(OSError):
            for path in (self.state / _MATTES).iterdir():
                if path not in named and path.stat().st_mtime < before:
                    path.unlink()

    def _named_mattes(self) -> set[Path]:
        return self.journal.decisions.mattes()


def _may(state: str | None, verdict: Verdict) -> bool:
    """Whether a decision means something: of what was delivered a mere mark, or to take it back."""
    return (state == "review" and verdict != "back") or (
        state == "done" and verdict in ("accept", "reject", "back")
    )


def again_settings(wanted: Mapping[str, Any], networks: Sequence[str]) -> dict[str, str]:
    """What a cutout that is asked for again shall be cut by, checked. Raises SettingsError."""
    found = {key: str(wanted[key]) for key in ("quality", "model") if wanted.get(key)}
    if not found or found.get("quality", "best") not in _QUALITIES:
        raise SettingsError("Ask again with another quality (fast, balanced, best) or another network.")
    if found.get("model", "") not in ("", *networks):
        raise SettingsError(
            "This network is not on this computer; 'mattebox models list' names those that are."
        )
    return found
