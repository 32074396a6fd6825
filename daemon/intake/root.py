"""The root of one hot folder: whether it is there, is held up, and is watched by events or polled."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import reason_of
from mattebox.daemon.intake.inotify import watches_left
from mattebox.daemon.intake.watch import Watch, is_network
from mattebox.daemon.journal.identity import is_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.daemon.config.keys import Folder
    from mattebox.daemon.events import Events
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.journal.journal import Journal

_NO_WATCHES: Final = (
    "the system has no watches left for folders (fs.inotify.max_user_watches); new photos are found by "
    "rescans alone"
)


class WatchedRoot:
    """A watched folder as a place. held: why it cannot be worked in, or "". polling: without events."""

    def __init__(
        self, folder: Folder, journal: Journal, events: Events, scan_soon: Callable[[], None]
    ) -> None:
        """`scan_soon` is called when everything may have changed."""
        self.held = ""
        self.polling = folder.mode == "poll"
        self._folder = folder
        self._journal = journal
        self._events = events
        self._scan_soon = scan_soon
        self._watch: Watch | None = None
        self._short = False

    def open(self) -> bool:
        """Whether the watched folder is there; it is made when it never was.

        A folder that was there and is gone (a share that was unmounted) is never made anew.
        """
        root = self._folder.watch
        if not is_folder(root):
            if self._journal.files.knows_root(root):
                self.hold(f"{root}: the watched folder is gone; waiting for it to come back.")
                return False
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self.hold(f"{root}: the watched folder cannot be made ({error.strerror}).")
                return False
            for folder in (self._folder.done, self._folder.failed):
                with suppress(OSError):
                    folder.mkdir(parents=True, exist_ok=True)
            self._events.emit("folder-made", self._folder.name, path=os.fspath(root))
        with self._journal.transaction():
            self._journal.files.remember_root(root)
        return True

    def start_watching(self, inbox: Inbox) -> None:
        """Ask for events, where they can be had; otherwise the folder is polled."""
        self.stop_watching()
        name, root = self._folder.name, self._folder.watch
        self.polling = self._folder.mode == "poll" or (self._folder.mode == "auto" and is_network(root))
        if not self.polling and is_folder(root):
            try:
                self._watch = Watch(name, root, recursive=self._folder.recursive, inbox=inbox)
            except (OSError, RuntimeError) as error:  # no watch, no descriptor, no thread is free
                self.polling = True
                self._events.emit("polling", name, why=f"no events: {reason_of(error)}")
        self._short = False
        self._look_for_watches(inbox)
        self._scan_soon()

    def _look_for_watches(self, inbox: Inbox) -> None:
        """Poll while the kernel has no watch left: then sub-folders give no events, and nobody says so."""
        if self._watch is None:
            return
        short = not watches_left()
        if short and not self._short:
            self._short = self.polling = True
            self._events.emit("polling", self._folder.name, why=_NO_WATCHES)
        elif self._short and not short:
            self.start_watching(inbox)

    def keep_watching(self, inbox: Inbox) -> None:
        """Rebuild a watch that died or whose root was replaced."""
        if self._watch is not None and not self._watch.healthy():
            self._events.emit("watch-rebuilt", self._folder.name)
            self.start_watching(inbox)
        elif self._watch is None and not self.polling and is_folder(self._folder.watch):
            self.start_watching(inbox)
        else:
            self._look_for_watches(inbox)

    def stop_watching(self) -> None:
        """Ask for no more events."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def hold(self, why: str) -> None:
        """Say once that the folder cannot be worked in just now."""
        if why != self.held:
            self.held = why
            self._events.emit("held", self._folder.name, why=why)

    def release(self) -> None:
        """Say that the folder can be worked in again, where it could not."""
        if self.held:
            self.held = ""
            self._events.emit("back", self._folder.name)
