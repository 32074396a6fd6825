"""Bursts: thousands of files at once with a small event queue, and the time to notice the last of them.

python -m tests.daemon.intake.bursts --files 10000 --queue 64
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.daemon.intake.intake import Intake

if TYPE_CHECKING:
    from mattebox.daemon.journal.identity import Identity

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@dataclass(frozen=True)
class Outcome:
    """What a burst came to; seconds from the last file's arrival until the last one was noticed."""

    files: int
    queue: int
    noticed: int
    dropping: float
    seconds: float

    def line(self) -> str:
        """The figures in one line."""
        return (
            f"burst: {self.files} files dropped in {self.dropping:.2f} s with an event queue of "
            f"{self.queue}: {self.noticed} noticed, the last one {self.seconds:.2f} s after it was there"
        )


def burst(root: Path, *, files: int, queue: int) -> Outcome:
    """Drop files in nested new folders at once, while the daemon watches and rescans are far away.

    A file is noticed when the daemon begins to wait for it to settle; doing them all would add nothing.
    """
    before = QUEUE.read_text(encoding="ascii")
    noticed: set[str] = set()
    observe = Intake._observe

    def noting(intake: Intake, path: str, found: Identity | None, now: float) -> None:
        noticed.add(path)
        observe(intake, path, found, now)

    text = CONFIG.replace("rescan: 1s", "rescan: 1h").replace("settle: 10ms", "settle: 100ms")
    hot_folders = HotFolders(root, text.replace("          - {format: psd", "#"))
    seeing: Any = noting
    try:
        QUEUE.write_text(str(queue), encoding="ascii")
        Intake._observe = seeing  # type: ignore[method-assign]  # the daemon's own method, with a note
        with hot_folders.watching():
            time.sleep(0.5)
            begun = time.monotonic()
            for number in range(files):
                path = root / "in" / f"{number % 10}" / f"{number % 97}" / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"%d" % number)
            dropped = time.monotonic()
            until(lambda: len(noticed) >= files, 120)
            seconds = time.monotonic() - dropped
    finally:
        Intake._observe = observe  # type: ignore[method-assign]  # as it was
        QUEUE.write_text(before, encoding="ascii")
    return Outcome(files, queue, len(noticed), dropped - begun, seconds)


def main() -> None:
    """Print the figures of one burst."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--queue", type=int, default=64, help="events that the kernel keeps; needs root")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(burst(Path(folder), files=options.files, queue=options.queue).line())  # noqa: T201 - a command


if __name__ == "__main__":
    main()
