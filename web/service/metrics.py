"""What the service counts, in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from mattebox.web.service.cutters import Cutters

MEDIA_TYPE = CONTENT_TYPE_LATEST


class ServiceMetrics:
    """Requests by path and status, seconds of a request, and how full the queue is."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "mattebox_requests", "Requests by path and HTTP status", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "mattebox_request_seconds",
            "Seconds from a request's head to its answer's end",
            ["path"],
            registry=registry,
            buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128),
        )
        self._here = Gauge(
            "mattebox_requests_here", "Photos being sent, waiting or in work", registry=registry
        )
        self._places = Gauge("mattebox_requests_most", "How many photos may be here", registry=registry)
        self._in_work = Gauge("mattebox_working", "Photos in the hands of workers", registry=registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request that has ended; path: one of the service's own, never a client's text."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self, cutters: Cutters) -> bytes:
        """All of it as Prometheus reads it."""
        self._here.set(cutters.here)
        self._places.set(cutters.places)
        self._in_work.set(cutters.in_work)
        return generate_latest(self._registry)
