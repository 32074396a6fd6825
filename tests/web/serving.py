"""A service with real workers at a free port of this machine."""

from __future__ import annotations

import http.client
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mattebox.daemon.inbox import Inbox
from mattebox.web.server import Address, Server
from mattebox.web.service.app import Service, ServiceSettings
from mattebox.web.service.cutters import Cutters, CutterSettings, start_workers
from mattebox.web.service.work_folder import WorkFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUNDARY = "cut-here"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Serving:
    """A running service."""

    port: int
    folder: Path
    cutters: Cutters

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())

    def post(
        self, path: str, fields: dict[str, str | bytes], headers: dict[str, str] | None = None
    ) -> Answer:
        """A multipart form; bytes are files with a name that must not matter."""
        return self.ask("POST", path, form(fields), {"Content-Type": FORM_TYPE, **(headers or {})})

    @property
    def uploads(self) -> list[Path]:
        """What lies in the service's folder of requests."""
        return [path for path in self.folder.iterdir() if path.name != "lock"]


FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form(fields: dict[str, str | bytes]) -> bytes:
    """A multipart body."""
    parts = []
    for name, value in fields.items():
        file = '; filename="../../etc/<b>x</b>.png"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else value.encode()
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextmanager
def serving(
    base: Path,
    settings: ServiceSettings | None = None,
    cutting: CutterSettings | None = None,
    *,
    start: bool = True,
) -> Iterator[Serving]:
    """Serve from uploads below `base`. start: begin the workers at once, else with the first photo."""
    settings = settings or ServiceSettings()
    cutting = replace(cutting or CutterSettings(), workers=1)
    inbox = Inbox()
    pool, sizing = start_workers(cutting, inbox)
    try:
        with WorkFolder(base) as folder:
            cutters = Cutters(pool, inbox, sizing.workers, cutting)
            server = Server(Service(settings, cutters, folder).app(), Address(), grace=20)
            if start:
                pool.start()
            server.start()
            try:
                yield Serving(server.port, folder.path, cutters)
            finally:
                server.stop()
    finally:
        pool.stop()
