"""Events: what happened, for the log, for notifications, for metrics and for the screen."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEVELS: Final = {
    "failed": "error",
    "held": "warning",
    "retry": "warning",
    "notify-failed": "warning",
    "notify-off": "warning",
    "review-refused": "warning",
    "review-unknown": "warning",
    "config-broken": "error",
    "journal-damaged": "error",
    "put-back": "warning",
    "in-work-elsewhere": "warning",
    "worker-refused": "warning",
    "worker-gone": "warning",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `job` is its id where it is about one."""

    name: str
    folder: str = ""
    job: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time.time)

    @property
    def level(self) -> str:
        """info, warning or error."""
        return _LEVELS.get(self.name, "info")


class Events:
    """Passes what happens on to every listener; a listener that fails never stops the work."""

    def __init__(self, *listeners: Callable[[Event], None]) -> None:
        self._listeners = list(listeners)

    def add(self, listener: Callable[[Event], None]) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def remove(self, listener: Callable[[Event], None]) -> None:
        """Remove a listener."""
        self._listeners.remove(listener)

    def emit(self, event_name: str, folder: str = "", job: str = "", **values: Any) -> None:
        """Something happened."""
        self.dispatch(Event(event_name, folder, job, values))

    def dispatch(self, event: Event) -> None:
        """Pass an event on to every listener."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - reported, and the work goes on
                with suppress(OSError, ValueError):  # stderr may be a full disk, or closed
                    sys.stderr.write(f"A listener failed on {event.name}: {type(error).__name__}\n")


def log_line(event: Event) -> str:
    """An event as one structured line: time, level, event and key=value pairs, values quoted as JSON."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(event.time))
    fields = {"folder": event.folder, "job": event.job, **event.values}
    pairs = [f"{key}={_value(value)}" for key, value in fields.items() if value not in ("", None)]
    return " ".join([f"{stamp}Z", event.level, event.name, *pairs])


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    plain = text.isprintable() and not any(sign in text for sign in ' "=')
    # JSON has its own escapes for the controls that it knows; the others are shown as those everywhere.
    return text if plain and text else printable(json.dumps(text, ensure_ascii=False))
