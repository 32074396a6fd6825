"""Server: an ASGI application at an address, in a thread; it begins with the socket and stops gracefully."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import uvicorn

from mattebox.core.errors import reason_of
from mattebox.web.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BACKLOG: Final = 512
_START_SECONDS: Final = 30.0
_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. port 0: any free one. certificate, key: PEM files for TLS, both or none."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it; a name other than localhost counts as reached by others."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def has_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.certificate is not None and self.key is not None


def check_address(address: Address, *, has_password: bool, needed: str = "a password and TLS files") -> None:
    """Refuse an address that others reach without TLS and a password. Raises ServerError.

    needed: what the door that asks calls these, for the sentence.
    """
    if (address.certificate is None) != (address.key is None):
        raise ServerError("TLS needs two files: give both the certificate and its key.")
    if not address.is_loopback and not (address.has_tls and has_password):
        raise ServerError(
            f"{address.host}: other machines reach this address; that needs {needed} "
            "(certificate and key), or listen on 127.0.0.1."
        )


class Server:
    """An application that is served from a thread of its own until it is stopped."""

    def __init__(
        self, app: ASGIApp, address: Address, *, grace: float = 10.0, streams: Collection[str] = ()
    ) -> None:
        """Take the socket, so that nobody else has the port; `start` answers on it.

        grace: seconds that requests have to end once it stops. streams: paths whose answers never end by
        themselves (server-sent events); they end at once when it stops.
        Raises ServerError: the port is taken, the host is not ours, the TLS files cannot be used.
        """
        self.address = address
        self._socket = _listen(address)
        self.port: int = self._socket.getsockname()[1]
        self._ending = _Ending(app, frozenset(streams))
        config = uvicorn.Config(
            self._ending,
            http="h11",
            ws="none",
            loop="asyncio",
            # A library's words never reach the user; what an application fails at is its own to tell.
            log_config=None,
            access_log=False,
            server_header=False,
            # Whoever asks is who connected: no proxy's word is believed.
            proxy_headers=False,
            timeout_graceful_shutdown=max(1, round(grace)),
            ssl_certfile=address.certificate,
            ssl_keyfile=address.key,
            backlog=_BACKLOG,
        )
        self._grace = grace
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    @property
    def url(self) -> str:
        """The address to ask, without a path: `http://127.0.0.1:8080`."""
        scheme = "https" if self.address.has_tls else "http"
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"{scheme}://{host}:{self.port}"

    def start(self) -> None:
        """Answer from now on; returns once it does. Raises ServerError."""
        _silence()
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                self._socket.close()
                raise ServerError(f"{self.url}: the server could not begin to answer here.")
            time.sleep(0.01)

    def stop(self) -> None:
        """Accept nothing new, let what runs end within the grace, then end; may be called twice."""
        self._ending.begin()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(self._grace + 5)
        self._socket.close()

    def run(self) -> None:
        """Start, wait for SIGINT or SIGTERM, stop; a second signal ends without grace. Main thread only."""
        with _signals() as told:
            self.start()
            while self._thread.is_alive() and not told.wait(0.5):
                pass
            told.clear()
            stopping = threading.Thread(target=self.stop, daemon=True)
            stopping.start()
            while stopping.is_alive():
                if told.wait(0.1):
                    self._server.force_exit = True
                    told.clear()

    def _serve(self) -> None:
        with suppress(SystemExit):  # how uvicorn tells that the application refused to begin
            self._server.run(sockets=[self._socket])


class _Ending:
    """Middleware: knows that the server stops, and ends streams then as if their client had gone."""

    def __init__(self, app: ASGIApp, streams: frozenset[str]) -> None:
        self._app = app
        self._streams = streams
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def begin(self) -> None:
        """End the streams; from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: there are none
                self._loop.call_soon_threadsafe(self._event.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        if scope["type"] == "http" and scope["path"] in self._streams:
            await self._app(scope, self._until_stopped(receive), send)
        else:
            await self._app(scope, receive, send)

    def _until_stopped(self, receive: Receive) -> Receive:
        async def either() -> Message:
            asked = asyncio.ensure_future(receive())
            stopped = asyncio.ensure_future(self._event.wait())
            try:
                await asyncio.wait({asked, stopped}, return_when=asyncio.FIRST_COMPLETED)
                return asked.result() if asked.done() else {"type": "http.disconnect"}
            finally:
                asked.cancel()
                stopped.cancel()

        return either


def _listen(address: Address) -> socket.socket:
    """A socket that listens. Raises ServerError."""
    host = "127.0.0.1" if address.host == "localhost" else address.host
    where = f"{address.host}:{address.port}"
    try:
        if address.has_tls:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                address.certificate or "", address.key, password=lambda: ""
            )
    except (OSError, ValueError) as error:
        raise ServerError(
            f"{address.certificate}: it and its key {address.key} cannot be used for TLS "
            "(both are PEM files, the key without a pass phrase and belonging to the certificate)."
        ) from error
    try:
        family, _, _, _, place = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ServerError(f"{where}: this host is not known here.") from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(place)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise ServerError(
            f"{where}: it cannot be listened on ({reason_of(error)}); choose another port."
        ) from error
    return found


def _silence() -> None:
    logger = logging.getLogger("uvicorn")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = False


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that signals to stop set, instead of what they do otherwise."""
    told = threading.Event()
    before = [(number, signal.signal(number, lambda *_: told.set())) for number in _STOPS]
    try:
        yield told
    finally:
        for number, handler in before:
            signal.signal(number, handler)
