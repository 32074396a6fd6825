"""Prometheus metrics on loopback; the extra `metrics` brings the client library."""

from __future__ import annotations

import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mattebox.core.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mattebox.daemon.config import Metrics
    from mattebox.daemon.events import Event
    from mattebox.daemon.loop import Loop

_OWN_NAMES: Final = ("127.0.0.1", "localhost")


class _Server(ThreadingMixIn, WSGIServer):
    """One short thread a request, none of which keeps the daemon alive."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds that a silent client may hold its thread

    def log_message(self, *_: Any) -> None:
        """Say nothing: the console is the daemon's."""


def _own_names_only(app: WSGIApplication) -> WSGIApplication:
    """The application for those who asked this machine by its own name.

    A page of the web can have its own name lead to 127.0.0.1 (DNS rebinding) and read folders' names; the
    Host header then still says that name.
    """

    def guarded(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").rpartition(":")[0] not in _OWN_NAMES:
            start("421 Misdirected Request", [("Content-Type", "text/plain")])
            return [b"Ask 127.0.0.1 or localhost.\n"]
        return app(environ, start)

    return guarded


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
                make_wsgi_app,
            )
        except ImportError as error:
            raise MissingExtraError(
                "Metrics need the extra package: pip install 'mattebox[metrics]'."
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
        self._server = make_server(
            "127.0.0.1", settings.port, _own_names_only(make_wsgi_app(registry)), _Server, _Handler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

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
