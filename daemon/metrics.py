"""Prometheus metrics on loopback; the extra `metrics` brings the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.core.errors import MissingExtraError
from mattebox.core.extra import install_command

if TYPE_CHECKING:
    from mattebox.daemon.config import Metrics
    from mattebox.daemon.events import Event
    from mattebox.daemon.loop import Loop


class Meter:
    """Counts events and shows queues; one HTTP server on 127.0.0.1."""

    def __init__(self, settings: Metrics) -> None:
        """Start the server. Raises MissingExtraError, OSError (the port is taken)."""
        try:
            from prometheus_client import (  # noqa: PLC0415 - an extra
                CollectorRegistry,
                Counter,
                Gauge,
                Histogram,
                start_http_server,
            )
        except ImportError as error:
            raise MissingExtraError(
                f"Metrics need an extra package; install it with: {install_command('metrics')}"
            ) from error
        registry = CollectorRegistry()
        self._events = Counter(
            "mattebox_photos", "Photos by what became of them", ["folder", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "mattebox_photo_seconds",
            "Seconds of work on one photo",
            ["folder"],
            registry=registry,
            buckets=(0.5, 1, 2, 4, 8, 16, 32, 64, 128),
        )
        self._waiting = Gauge(
            "mattebox_waiting", "Photos seen and not yet claimed", ["folder"], registry=registry
        )
        self._working = Gauge("mattebox_working", "Photos in the hands of workers", registry=registry)
        self._server, self._thread = start_http_server(settings.port, "127.0.0.1", registry)

    def __call__(self, event: Event) -> None:
        """Count an event."""
        if event.name in ("delivered", "failed", "review", "duplicate", "retry"):
            self._events.labels(event.folder, event.name).inc()
        if event.name == "delivered":
            self._seconds.labels(event.folder).observe(event.values.get("seconds") or 0.0)

    def gauge(self, loop: Loop) -> None:
        """The chore that measures the queues."""
        self._working.set(loop.jobs.in_work)
        for name, intake in loop.intakes.items():
            self._waiting.labels(name).set(intake.waiting)

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
