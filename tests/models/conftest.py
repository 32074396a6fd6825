"""A real web server on this machine, whose files, faults and visitors a test controls."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.models.catalogue import Network, UrlSource

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Site:
    """Files by path; `cut` breaks the first transfers after that many bytes; `pace` is seconds a block."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    cut: int | None = None
    pace: float = 0.0

    def network(self, *paths: str, **changes: Any) -> Network:
        """A row whose sources are these paths of the site; facts are those of the first path's file."""
        data = self.files.get(paths[0], b"")
        row: dict[str, Any] = {
            "name": "tiny",
            "about": "",
            "file": "tiny.onnx",
            "input_size": 32,
            "mean": (0.0, 0.0, 0.0),
            "std": (1.0, 1.0, 1.0),
            "scale": 1.0,
            "activation": "none",
            "licence": "MIT",
            "commercial": True,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "sources": tuple(UrlSource(self.address + path) for path in paths),
        }
        return Network(**{**row, **changes})


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that answers on the loopback interface while the test runs."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.visits.append(self.path)
            data = site.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(data) - begin))
            self.end_headers()
            end = len(data)
            if site.cut is not None:
                end, site.cut = site.cut, None
            for place in range(begin, end, 4096):
                try:
                    self.wfile.write(data[place : min(place + 4096, end)])
                except OSError:
                    return
                if site.pace:
                    time.sleep(site.pace)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Notes:
    """A Progress that remembers."""

    lines: list[str] = field(default_factory=list)
    arrived: int = 0
    running: int = 0

    def begin(self, label: str, total: int | None) -> None:
        """Count a transfer."""
        self.running += 1

    def advance(self, count: int) -> None:
        """Add bytes."""
        self.arrived += count

    def end(self) -> None:
        """Count a transfer's end."""
        self.running -= 1

    def note(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)


@pytest.fixture
def notes() -> Notes:
    """A Progress whose lines the test reads."""
    return Notes()
