"""Intake: one hot folder's files, from first sight to the moment when one may be claimed."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattebox.core.errors import reason_of
from mattebox.daemon.config.facts import Facts
from mattebox.daemon.config.planning import own_folders
from mattebox.daemon.config.rules import choose_rule, uses
from mattebox.daemon.intake.beside import Beside
from mattebox.daemon.intake.candidates import Candidate, Ready
from mattebox.daemon.intake.passed_over import passed_over
from mattebox.daemon.intake.root import WatchedRoot
from mattebox.daemon.intake.scan import Scope
from mattebox.daemon.intake.settle import Settling
from mattebox.daemon.journal.identity import identity, is_folder, known_content, moment_key
from mattebox.daemon.journal.markers import Markers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.daemon.config.keys import Folder
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.errors import Failure
    from mattebox.daemon.events import Events
    from mattebox.daemon.intake.inspection import Inspection
    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal

_HELD_WAIT = 5.0
_MOST_HELD_WAIT = 60.0


@dataclass(slots=True)
class _ScanTimes:
    next_scan: float = 0.0
    scan_now: bool = True
    held: int = 0

    def hold(self, now: float) -> None:
        """Wait with the next scan, longer each time."""
        self.next_scan = now + min(_HELD_WAIT * 2**self.held, _MOST_HELD_WAIT)
        self.held = min(self.held + 1, 16)


class Intake:
    """The candidates of one folder."""

    def __init__(
        self, loaded: LoadedConfig, folder: Folder, journal: Journal, events: Events, *, once: bool
    ) -> None:
        """`once`: nothing is waited for longer than settling takes."""
        self.folder = folder
        self.markers = Markers(journal.folder / "looking")
        self._journal = journal
        self._events = events
        self._once = once
        own = own_folders(loaded, folder)
        self._scope = Scope(folder.watch, recursive=folder.recursive, ignore=folder.ignore, own=own)
        self._settling = Settling()
        wait = folder.settle if once else max(folder.settle, folder.patience)
        follows = folder.originals == "done"
        self.beside = Beside(folder.companion_rules, wait=wait, follows=follows)
        self._in_inspection: set[str] = set()
        self._left_alone: dict[str, Identity] = {}
        self._known_done: dict[str, Identity] = {}
        self._by_age = any(uses(rule.when, "min_age") for rule in folder.rules)
        self._scan_times = _ScanTimes()
        self._told_passed_over = False
        self.root = WatchedRoot(folder, journal, events, self.scan_soon)

    @property
    def waiting(self) -> int:
        """Files that were seen and are not claimed yet."""
        return len(self._settling)

    def busy(self) -> bool:
        """Whether a file is still settling or in inspection, or a scan is due at once."""
        waits = bool(self._settling) or bool(self._in_inspection) or self._scan_times.scan_now
        return waits or self.beside.busy()

    def oldest(self, now: float) -> float:
        """Seconds since the longest-waiting file was first seen."""
        return self._settling.oldest(now)

    def scan_soon(self) -> None:
        """Look at everything at the next tick."""
        self._scan_times.scan_now = True

    def on_folder_event(self, path: str | None, now: float) -> None:
        """Something happened at `path`; None: anywhere."""
        if path is None:
            self.scan_soon()
            return
        below = self._scope.holds(Path(path))
        if below is None:
            return
        full = self.folder.watch / below
        if is_folder(full) and not full.is_symlink():
            # A tree that was moved in, or files made before the new folder was watched.
            try:
                for inner, found in self._scope.files(below):
                    self._observe(inner, found, now)
            except OSError:
                self.scan_soon()
        else:
            self._observe(below, identity(full), now)

    def scan(self, now: float) -> None:
        """Look at the whole folder, if it is time."""
        times = self._scan_times
        if not times.scan_now and now < times.next_scan:
            return
        times.scan_now = False
        times.next_scan = now + (self.folder.poll if self.root.polling else self.folder.rescan)
        try:
            if not self.root.open():
                times.hold(now)
                return
            present = set()
            for path, found in self._scope.files():
                present.add(path)
                self._observe(path, found, now)
            self.beside.only(present)
            self._tell_passed_over()
        except OSError as error:
            self.root.hold(f"{self.folder.watch}: the watched folder cannot be read ({reason_of(error)}).")
            times.hold(now)
            return
        times.held = 0
        self._left_alone = {path: found for path, found in self._left_alone.items() if path in present}
        self.root.release()

    def _tell_passed_over(self) -> None:
        """Say once which photos nobody will take."""
        if self._told_passed_over:
            return
        self._told_passed_over = True
        for item in passed_over(self._scope):
            values: dict[str, Any] = {"paths": list(item.paths), "why": item.why, "sentence": item.sentence()}
            self._events.emit("passed-over", self.folder.name, **values)

    def candidates(self, now: float) -> Iterator[Candidate]:
        """The files that have settled; each is offered again until it is inspected or gone."""
        for key in self._settling.due(now):
            path = str(key)
            if path in self._in_inspection:
                continue
            found = identity(self.folder.watch / path)
            if not self._settling.observe(path, found, now, self.folder.settle) or found is None:
                continue
            choice = choose_rule(self.folder, self._facts(path, found, None))
            if choice.index is None and choice.needs_header is None:
                self._leave_alone(path, found, choice.verdicts[-1].why_not or "")
                continue
            if not self._is_alone(path, found, now):
                continue
            yield Candidate(self.folder.name, path, found)

    def companions(self, path: str) -> tuple[str, ...]:
        """The names of the files that are claimed with a photo."""
        if self.folder.originals == "keep":
            return ()
        found = self.beside.companions(path, lambda other: other in self._settling)
        for name in found:
            # It goes with its photo, and nobody waits for it; where it cannot, it is looked after later.
            mine = path[: path.rfind("/") + 1] + name
            self.beside.look_again(mine, time.monotonic() + self.folder.settle)
        return found

    def _is_alone(self, path: str, found: Identity, now: float) -> bool:
        """Whether a photo is to be cut now: it is not what travels, and the other of its pair has settled."""
        partner = self.beside.partner(path)
        if partner is None or partner in self._left_alone:
            if not self.beside.travels(path) or not self._belongs_to_a_job(path, found):
                return True
            self.beside.wait_for_photo(path, found, now)
        elif not self.beside.travels(path):
            theirs = identity(self.folder.watch / partner)
            return partner not in self._settling or self._settling.observe(
                partner, theirs, now, self.folder.settle
            )
        self._settling.forget(path)
        return False

    def _belongs_to_a_job(self, path: str, found: Identity) -> bool:
        arrived = found.ctime_ns / 1e9
        return self.beside.owner(self._journal, self.folder.name, path, arrived) is not None

    def begin_inspection(self, candidate: Candidate) -> int:
        """Note that a file is in inspection; how many inspections of it were cut short."""
        self._in_inspection.add(candidate.path)
        if self.markers.is_set(_marker_name(candidate)):
            self._count_aborted(candidate)
        return self._journal.files.aborted_inspections(candidate.folder, candidate.found)

    def marker(self, candidate: Candidate) -> Path:
        """What is on the disk while a worker inspects a file."""
        return self.markers.of(_marker_name(candidate))

    def end_inspection(self, candidate: Candidate, inspection: Inspection, now: float) -> Ready | None:
        """What follows from an inspection: claim now, or None: not ready, gone, or nobody's."""
        path = candidate.path
        self._in_inspection.discard(path)
        found = identity(self.folder.watch / path)
        if found is None or path not in self._settling:
            self._settling.forget(path)
            return None
        if found != candidate.found:
            self._settling.observe(path, found, now, self.folder.settle)
            return None
        with self._journal.transaction():
            self._journal.files.forget_aborted_inspections(self.folder.name, found)
        if inspection.truncated and not self._patience_ended(path, now):
            return None
        facts = self._facts(path, found, inspection)
        choice = choose_rule(self.folder, facts)
        rule = choice.index if choice.index is not None else choice.needs_header
        if rule is None:
            self._leave_alone(path, found, choice.verdicts[-1].why_not or "")
            return None
        if self.folder.originals == "keep" and self._was_done(self.folder.rule_name(rule), path, found):
            self._settling.forget(path)
            self._known_done[path] = found
            return None
        self._settling.forget(path)
        size = (inspection.header.width, inspection.header.height) if inspection.header else (0, 0)
        return Ready(path, found, rule, size, inspection.problem, inspection.truncated)

    def abort_inspection(self, candidate: Candidate, failure: Failure | None, now: float) -> None:
        """An inspection ended without an answer; the file is offered again.

        Where the worker died or hung, the count of such looks, which is in the journal, bounds the repeats.
        """
        self._in_inspection.discard(candidate.path)
        if failure is None or not failure.hold or failure.kind == "pool":
            self._count_aborted(candidate)
            return
        # The disk or the share refused, which says nothing about the file.
        if self._once:
            self.root.hold(failure.what)
        elif candidate.path in self._settling:
            checks = self._settling.back_off(candidate.path, now, self.folder.settle)
            if checks == 1:
                path = os.fspath(self.folder.watch / candidate.path)
                self._events.emit("held", self.folder.name, input=path, why=failure.what)

    def look_again(self, candidate: Candidate) -> None:
        """The folder refused while an answer was taken; the file is offered again."""
        self._in_inspection.discard(candidate.path)

    def _count_aborted(self, candidate: Candidate) -> None:
        # Between the two a kill loses a count; the other way round it could count twice.
        with suppress(OSError):
            self.markers.clear(_marker_name(candidate))
        with self._journal.transaction():
            self._journal.files.count_aborted_inspection(candidate.folder, candidate.found)

    def give_up(self, candidate: Candidate, problem: str) -> Ready:
        """A file whose inspections killed their workers: it is claimed in order to fail."""
        self._in_inspection.discard(candidate.path)
        self._settling.forget(candidate.path)
        return Ready(candidate.path, candidate.found, 0, (0, 0), problem)

    def next_due(self, now: float) -> float:
        """When something may have to be done, without any event."""
        due = self._settling.next_due(now)
        scan = now if self._scan_times.scan_now else self._scan_times.next_scan
        return min(scan, due if due is not None else scan)

    def retry_soon(self) -> None:
        """Look at everything again in a while."""
        self._scan_times.next_scan = time.monotonic() + _HELD_WAIT

    def _observe(self, path: str, found: Identity | None, now: float) -> None:
        if self.beside.see(path, found, now):
            return
        if found is not None:
            # Only a condition on age can change its answer while the file stays the same.
            if self._left_alone.get(path) == found and not self._by_age:
                return
            # The ledger is asked each time: 'mattebox retry' takes entries out of it while this runs.
            if path not in self._settling and self._is_done(path, found):
                return
        self._settling.observe(path, found, now, self.folder.settle)

    def _is_done(self, path: str, found: Identity) -> bool:
        """Whether the ledger says that a file which stays in place was done by its rule."""
        if self.folder.originals != "keep":
            return False
        rules = [self.folder.rule_name(rule) for rule in range(len(self.folder.rules))]
        done = [self._journal.files.in_ledger(self.folder.name, rule, path, found) for rule in rules]
        if not any(done):
            return False
        if self._known_done.get(path) == found:
            return True
        choice = choose_rule(self.folder, self._facts(path, found, None))
        # Without the header it may be open which rule takes the file; then it is inspected again.
        sure = choice.index is not None and choice.needs_header is None
        return done[choice.index or 0] if sure else all(done)

    def _was_done(self, rule: str, path: str, found: Identity) -> bool:
        """Whether the ledger knows a file by its identity, or by its content where a part of that agrees."""
        files, folder = self._journal.files, self.folder.name
        if files.in_ledger(folder, rule, path, found):
            return True
        known = files.in_ledger_as(folder, rule, path, found)
        digest = known_content(self.folder.watch / path, found) if known else ""
        if digest not in known:
            return False
        with self._journal.transaction():
            files.enter_ledger(folder, rule, path, found, sha256=digest, job=known[digest])
        return True

    def _patience_ended(self, path: str, now: float) -> bool:
        checks = self._settling.back_off(path, now, self.folder.settle)
        if self._once:
            return checks > 1
        return self._settling.unchanged_for(path, now) >= self.folder.patience

    def _facts(self, path: str, found: Identity, inspection: Inspection | None) -> Facts:
        age = max(0.0, time.time() - found.mtime_ns / 1e9)
        if inspection is None:
            return Facts(path, found.size, age)
        return Facts(path, found.size, age, inspection.header, inspection.problem)

    def _leave_alone(self, path: str, found: Identity, why: str) -> None:
        self._settling.forget(path)
        was_known = self._left_alone.get(path) == found
        self._left_alone[path] = found
        partner = self.beside.partner(path)
        if partner is not None and self.beside.travels(partner):
            # It would have gone with this one.
            self._settling.observe(partner, identity(self.folder.watch / partner), time.monotonic(), 0.0)
        if not was_known:
            self._events.emit("left-alone", self.folder.name, path=path, why=why or "no rule takes it")


def _marker_name(candidate: Candidate) -> str:
    return moment_key(candidate.found).replace(":", "-")
