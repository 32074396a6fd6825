"""Notifications: a webhook and a command hear of events, with bounded retries, off the loop's thread."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mattebox.core.networks import is_offline
from mattebox.daemon.endings import STATE_OF, ending
from mattebox.daemon.steps import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.daemon.config import Notify, Webhook
    from mattebox.daemon.events import Event, Events
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.journal import Journal

_MOST_WAITING: Final = 1000
_FIRST_PAUSE: Final = 1.0
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Notifier:
    """Tells a webhook and a command; neither can hold up or stop the work."""

    def __init__(
        self,
        settings: Notify,
        complain: Callable[[str], None],
        told: Callable[[Event], None] = lambda _: None,
        *,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        """`complain` hears when a notification was given up; secrets are never part of what it hears.

        told: hears of each event that was sent, or given up after the settings' attempts.
        """
        self._told = told
        self._settings = settings
        self._complain = complain
        self._first_pause = first_pause
        self._waiting: queue.Queue[Event | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event, if somebody wants to hear of it."""
        if event.name in self._settings.on:
            try:
                self._waiting.put_nowait(event)
            except queue.Full:
                self._complain(f"{event.name}: too many wait; this one is sent at the next start")

    def stop(self, timeout: float = 5.0) -> None:
        """Send what waits, for a while, then end."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            text = json.dumps(message(event)).encode()
            if self._settings.webhook is not None:
                self._post(self._settings.webhook, event, text)
            if self._settings.command:
                self._run(self._settings.command, event, text)
            self._told(event)

    def _post(self, hook: Webhook, event: Event, text: bytes) -> None:
        if is_offline():
            self._complain(f"{event.name}: MATTEBOX_OFFLINE forbids the webhook at {_host(hook.url)}")
            return
        pause = self._first_pause
        problem = ""
        for attempt in range(hook.attempts):
            if attempt:
                time.sleep(pause)
                pause *= 2
            try:
                url = expanded(hook.url)
                headers = {key: expanded(value) for key, value in hook.headers.items()}
                request = urllib.request.Request(  # noqa: S310 - http and https alone, by the settings and below
                    url, text, {"Content-Type": "application/json", "User-Agent": "mattebox", **headers}
                )
                if request.type not in ("http", "https"):
                    problem = f"{request.type} is not http"
                    break
                with urllib.request.urlopen(request, timeout=hook.timeout):  # noqa: S310 - see above
                    return
            except urllib.error.HTTPError as error:
                error.close()
                problem = f"HTTP {error.code}"
                if error.code < 500 and error.code not in (408, 429):
                    break
            except (OSError, ValueError, KeyError) as error:
                problem = type(error).__name__
        self._complain(f"{event.name}: the webhook at {_host(hook.url)} did not take it ({problem})")

    def _run(self, command: list[str], event: Event, text: bytes) -> None:
        try:
            # A file, not a pipe: the command reads the whole event even where the daemon is killed now.
            with tempfile.TemporaryFile() as whole:
                whole.write(text)
                whole.seek(0)
                subprocess.run(
                    command,
                    stdin=whole,
                    env={**os.environ, "MATTEBOX_EVENT": event.name},
                    timeout=self._settings.command_timeout,
                    check=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        except (OSError, subprocess.SubprocessError) as error:
            problem = error.strerror if isinstance(error, OSError) else type(error).__name__
            self._complain(f"{event.name}: the command {command[0]} failed ({problem})")


class Told(NamedTuple):
    """Somebody was told of an event, in the thread of notifications."""

    event: Event


def note_told(journal: Journal, told: Told) -> None:
    """What was told is owed no more; only the journal's own thread may say so."""
    event = told.event
    with journal.transaction():
        if event.name in STATE_OF:
            journal.outbox.told(event.job, STATE_OF[event.name])
        else:
            journal.outbox.batch_told(event.folder, event.values["batch"])
    step("notification noted")


@contextmanager
def notifying(settings: Notify, journal: Journal, events: Events, inbox: Inbox) -> Iterator[None]:
    """Tell those whom the settings name of every ending and every finished batch at least once.

    An ending is owed in the transaction that makes it, until it was sent: what a kill or a power cut
    kept from being sent is sent by the next run. Receivers tell repeats by the job's id.
    """
    if settings.webhook is None and not settings.command:
        with journal.transaction():
            journal.outbox.owe_nothing()
        journal.outbox.subscribe(())
        yield
        return
    notifier = Notifier(
        settings,
        lambda text: events.tell("notify-failed", why=text),
        lambda event: inbox.put(Told(event)),
    )
    journal.outbox.subscribe(STATE_OF[name] for name in settings.on if name in STATE_OF)
    for job in journal.outbox.owed():
        event = ending(job)
        if event is not None:
            notifier(event)
    events.add(notifier)
    try:
        yield
    finally:
        events.remove(notifier)
        notifier.stop()
        for item in inbox.get(0.0):
            if isinstance(item, Told):
                note_told(journal, item)


def message(event: Event) -> dict[str, Any]:
    """An event as the JSON that hooks get."""
    return {
        "event": event.name,
        "time": event.time,
        "folder": event.folder,
        "job": event.job,
        **{key: _plain(value) for key, value in event.values.items()},
    }


def expanded(text: str) -> str:
    """The text with each ${NAME} replaced from the environment. Raises KeyError."""
    return _VARIABLE.sub(lambda found: os.environ[found[1]], text)


def _host(url: str) -> str:
    """The host alone: paths and queries of webhooks are secrets."""
    return urllib.parse.urlsplit(url).hostname or "the address in the environment"


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else str(value)
