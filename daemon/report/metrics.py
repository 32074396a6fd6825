"""Prometheus metrics on loopback; the extra `metrics` brings the client library."""

from __future__ import annotations

import socketserver
import threading
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from mattebox.core.errors import MissingExtraError
from mattebox.core.extra import install_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mattebox.daemon.config.keys import Metrics
    from mattebox.daemon.events import Event
    from mattebox.daemon.intake.intake import Intake

_HOST: Final = "127.0.0.1"

_OWN_NAMES: Final = ("127.0.0.1", "localhost")


def _own_names_only(app: WSGIApplication) -> WSGIApplication:
    """The application for those who asked this machine by its own name.

    A page of the web can have its own name lead to 127.0.0.1 (DNS rebinding) and read folders' names; the
    Host header then still says that name.
    """

    def guarded(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").partition(":")[0] not in _OWN_NAMES:
            start("421 Misdirected Request", [("Content-Type", "text/plain")])
            return [b"Ask 127.0.0.1 or localhost.\n"]
        return app(environ, start)

    return guarded


class MetricsServer:
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
        self._server = _Server((_HOST, settings.port), _Handler)
        self._server.set_app(_own_names_only(make_wsgi_app(registry)))
        self._thread = self._serve()

    def __call__(self, event: Event) -> None:
        """Count an event."""
        if event.name in ("delivered", "failed", "review", "duplicate", "retry"):
            self._events.labels(event.folder, event.name).inc()
        if event.name == "delivered":
            self._seconds.labels(event.folder).observe(event.values.get("seconds") or 0.0)

    def update(self, in_work: int, intakes: Mapping[str, Intake]) -> None:
        """Measure the queues: of jobs in work, and by folder of files that were seen."""
        if not self._thread.is_alive():
            # Whatever ended it (no descriptor was free, for instance), it does not stay away.
            self._thread = self._serve()
        self._working.set(in_work)
        for name, intake in intakes.items():
            self._waiting.labels(name).set(intake.waiting)

    def _serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A server that listens without a look-up: http.server's asks what its own address is called."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that went away: the console is the daemon's."""

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds that a silent client may hold its thread

    def log_message(self, *_: Any) -> None:
        """Say nothing: the console is the daemon's."""
