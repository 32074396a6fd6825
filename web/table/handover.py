"""Hand over: a review's PSD opens in the program of the system, and what is saved there comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import PhotoError, WriteError
from mattebox.daemon.journal.identity import identity
from mattebox.web.table.pictures import matte_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.web.table.desk import Desk

# How long a file must stay the same before it counts as saved.
_SETTLE: Final = 2.0
_IDENTITY: Final = "identity"


def hand_over(desk: Desk, job_id: str, opens: Callable[[Path], None]) -> None:
    """Note what the PSD is now, and open it. Raises PhotoError where it has none, WriteError, KeyError."""
    job = desk.job(job_id)
    psd = desk.psd(job) if job.state == "review" else None
    if psd is None:
        raise PhotoError(f"{job.plan.name}: it has no PSD in review that could be opened.")
    desk.decide([job_id], "handed", settings={_IDENTITY: list(identity(psd) or ())})
    opens(psd)


class HandoverWatch:
    """Watches the PSDs that are open elsewhere; who saves one has accepted what it holds."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._since: dict[str, tuple[object, float]] = {}

    def look(self) -> list[str]:
        """The jobs whose PSD came back just now; they are accepted as it is. Raises JournalError."""
        back = []
        for decision in self._desk.journal.decisions.handed():
            with suppress(KeyError, OSError):
                job = self._desk.job(decision.job)
                psd = self._desk.psd(job) if job.state == "review" else None
                found = None if psd is None else identity(psd)
                if psd is None or found is None or list(found) == decision.settings.get(_IDENTITY):
                    self._since.pop(decision.job, None)
                elif self._settled(decision.job, found) and matte_of(psd) is not None:
                    self._desk.decide([decision.job], "accept", settings={"by": "another program"})
                    back.append(decision.job)
        return back

    def _settled(self, job_id: str, found: object) -> bool:
        before = self._since.get(job_id)
        if before is None or before[0] != found:
            self._since[job_id] = (found, self._clock())
            return False
        return self._clock() - before[1] >= _SETTLE


def open_in_system(path: Path) -> None:
    """Open a file in the program that the system has for it. Raises WriteError where there is none."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - a path of the journal
        return
    command = ["open"] if sys.platform == "darwin" else ["xdg-open"]
    try:
        opened = subprocess.Popen(
            [*command, os.fspath(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise WriteError(
            f"{path}: this system has no program that opens it by itself; open it by hand and save it there."
        ) from error
    # Nobody waits for it but the system's list of processes.
    threading.Thread(target=opened.wait, daemon=True).start()
