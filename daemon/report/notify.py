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
import urllib.parse
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mattebox.core.errors import reason_of
from mattebox.core.network.lookup import is_offline
from mattebox.daemon.delivery.endings import STATE_OF, ending
from mattebox.daemon.errors import JournalError, WebhookError
from mattebox.daemon.journal.steps import step
from mattebox.daemon.report.webhook import is_loopback, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.daemon.config.keys import Notify
    from mattebox.daemon.events import Event, Events
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.journal.journal import Journal

_MOST_WAITING: Final = 1000
_FIRST_PAUSE: Final = 1.0
OFF: Final = "MATTEBOX_OFFLINE is set, and the webhook's address is not on this machine: it is not called"
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "mattebox"}
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Notifier:
    """Notifies a webhook and a command; neither can hold up or stop the work."""

    def __init__(
        self,
        settings: Notify,
        on_failure: Callable[[str], None],
        on_sent: Callable[[Event], None] = lambda _: None,
        *,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        """on_failure: gets a sentence when a notification was given up; secrets are never part of it.

        on_sent: gets each event that was sent, or given up after the settings' attempts.
        """
        self._on_sent = on_sent
        self._settings = settings
        self._on_failure = on_failure
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
                self._on_failure(f"{event.name}: too many wait; this one is sent at the next start")

    def stop(self, timeout: float = 5.0) -> None:
        """Send what waits, for a while, then end."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            for send in (self._post, self._run):
                try:
                    send(event)
                except Exception as error:  # noqa: BLE001 - one bad peer never ends this thread for the others
                    self._on_failure(f"{event.name}: a notification failed ({type(error).__name__})")
            self._on_sent(event)

    def _post(self, event: Event) -> None:
        hook = self._settings.webhook
        if hook is None:
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
                post(url, {**_HEADERS, **headers}, _body(event), hook.timeout)
            except WebhookError as error:
                problem = str(error)
                if error.final:
                    break
            else:
                return
        self._on_failure(f"{event.name}: the webhook at {_host(hook.url)} did not take it ({problem})")

    def _run(self, event: Event) -> None:
        command = self._settings.command
        if not command:
            return
        try:
            # A file, not a pipe: the command reads the whole event even where the daemon is killed now.
            with tempfile.TemporaryFile() as whole:
                whole.write(_body(event))
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
        except subprocess.TimeoutExpired:
            self._on_failure(f"{event.name}: the command {command[0]} took longer than command_timeout")
        except subprocess.CalledProcessError as error:
            self._on_failure(
                f"{event.name}: the command {command[0]} failed (exit status {error.returncode})"
            )
        except (OSError, ValueError) as error:
            self._on_failure(f"{event.name}: the command {command[0]} failed ({reason_of(error)})")


class NotificationSent(NamedTuple):
    """An event was sent, or given up, in the thread of notifications."""

    event: Event


def note_sent(journal: Journal, sent: NotificationSent) -> None:
    """What was sent is pending no more; only the journal's own thread may write that."""
    event = sent.event
    with journal.transaction():
        if event.name in STATE_OF:
            journal.outbox.mark_sent(event.job, STATE_OF[event.name])
        else:
            journal.outbox.mark_batch_sent(event.folder, event.values["batch"])
    step("notification noted")


@contextmanager
def notifying(settings: Notify, journal: Journal, events: Events, inbox: Inbox) -> Iterator[None]:
    """Notify those whom the settings name of every ending and every finished batch at least once.

    An ending is pending from the transaction that makes it until it was sent: what a kill or a power cut
    kept from being sent is sent by the next run. Receivers tell repeats by the job's id.
    """
    forbidden = webhook_is_off(settings)
    if forbidden:
        events.emit("notify-off", why=OFF)
        settings = settings.model_copy(update={"webhook": None})
    if settings.webhook is None and not settings.command:
        if not forbidden:
            with journal.transaction():
                journal.outbox.clear()
        journal.outbox.subscribe(())
        yield
        return
    notifier = Notifier(
        settings,
        lambda text: events.emit("notify-failed", why=text),
        lambda event: inbox.put(NotificationSent(event)),
    )
    journal.outbox.subscribe(STATE_OF[name] for name in settings.on if name in STATE_OF)
    for job in journal.outbox.pending():
        event = ending(job)
        if event is not None:
            notifier(event)
    events.add(notifier)
    try:
        yield
    finally:
        events.remove(notifier)
        notifier.stop()
        # What cannot be noted now is told once more by the next run.
        with suppress(JournalError):
            for item in inbox.get(0.0):
                if isinstance(item, NotificationSent):
                    note_sent(journal, item)


def webhook_is_off(settings: Notify) -> bool:
    """Whether MATTEBOX_OFFLINE keeps the webhook from being called: its address is beyond this machine."""
    if settings.webhook is None or not is_offline():
        return False
    try:
        return not is_loopback(expanded(settings.webhook.url))
    except WebhookError:
        return False  # nothing can be called without the variable: each event says so


def message(event: Event) -> dict[str, Any]:
    """An event as the JSON that hooks get."""
    return {
        "event": event.name,
        "time": event.time,
        "folder": event.folder,
        "job": event.job,
        **{key: _plain(value) for key, value in event.values.items()},
    }


def _body(event: Event) -> bytes:
    return json.dumps(message(event)).encode()


def expanded(text: str) -> str:
    """The text with each ${NAME} replaced from the environment. Raises WebhookError."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise WebhookError(f"{found[1]} is not set in the environment")
        return os.environ[found[1]]

    return _VARIABLE.sub(value, text)


def _host(url: str) -> str:
    """The host alone: paths and queries of webhooks are secrets."""
    try:
        return urllib.parse.urlsplit(url).hostname or "the address in the environment"
    except ValueError:
        return "an address that is no URL"


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else str(value)
