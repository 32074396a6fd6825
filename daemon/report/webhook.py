"""One POST to a webhook: no redirect is followed, and one limit of time holds for the whole call."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.errors import WebhookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SCHEMES: Final = ("http", "https")


def post(url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> None:
    """Send `body` by one POST; returns when the peer has said 2xx.

    timeout: seconds for all of it, from the look-up of the name to the last line of the answer's head.
    Raises WebhookError for everything else that a peer, a network or an address can do.
    """
    try:
        request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - the scheme is checked next
        if request.type not in _SCHEMES:
            raise WebhookError(f"{request.type} is not http")
    except ValueError as error:
        raise WebhookError("the address is no URL") from error
    open_connections: list[http.client.HTTPConnection] = []
    # A proxy of the environment is another machine: what is meant for this one never goes there.
    direct = (urllib.request.ProxyHandler({}),) if is_loopback(url) else ()
    opener = urllib.request.build_opener(_NoRedirect(), *direct, *_handlers(open_connections))

    def call() -> None:
        with opener.open(request, timeout=timeout):
            return

    try:
        _bounded(call, timeout, open_connections)
    except urllib.error.HTTPError as error:
        error.close()
        raise WebhookError(_status(error), final=error.code < 500 and error.code not in (408, 429)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise WebhookError(_cause(reason), final=False) from error


def is_loopback(url: str) -> bool:
    """Whether an address names this machine itself, by its text alone: nothing is looked up."""
    try:
        host = urllib.parse.urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: following it would lose the body and hand on the headers."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none (RFC 9110, 15.4: the user agent may, and need not)."""


def _handlers(
    connections: list[http.client.HTTPConnection],
) -> tuple[urllib.request.HTTPHandler, urllib.request.HTTPSHandler]:
    """Handlers that note each connection, so that it can be cut."""

    class Plain(urllib.request.HTTPHandler):
        def do_open(self, http_class: Any, req: urllib.request.Request, **arguments: Any) -> Any:
            return super().do_open(_noting(http_class, connections), req, **arguments)

    class Secure(urllib.request.HTTPSHandler):
        def do_open(self, http_class: Any, req: urllib.request.Request, **arguments: Any) -> Any:
            return super().do_open(_noting(http_class, connections), req, **arguments)

    return Plain(), Secure()


def _noting(http_class: Any, connections: list[http.client.HTTPConnection]) -> Callable[..., Any]:
    def connect(*arguments: Any, **options: Any) -> Any:
        connection = http_class(*arguments, **options)
        connections.append(connection)
        return connection

    return connect


def _bounded(call: Callable[[], None], timeout: float, connections: list[http.client.HTTPConnection]) -> None:
    """Run `call` for `timeout` seconds at most; what it raises is raised here, TimeoutError after them.

    Sockets bound each read, not their sum: a peer that sends a byte now and then would hold us for ever.
    """
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
            ended.append(None)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            ended.append(error)

    thread = threading.Thread(target=run, name="webhook", daemon=True)
    deadline = time.monotonic() + timeout
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0.0))
    if not ended:
        for connection in connections:
            _cut(connection)
        raise TimeoutError
    if ended[0] is not None:
        raise ended[0]


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


def _status(error: urllib.error.HTTPError) -> str:
    target = error.headers.get("Location") if error.headers and 300 <= error.code < 400 else None
    if target is None:
        return f"HTTP {error.code}"
    try:
        host = urllib.parse.urlsplit(urllib.parse.urljoin(error.url, target)).hostname
    except ValueError:
        return f"HTTP {error.code}"
    return f"HTTP {error.code}: it redirects to {host}; write the final address"


def _cause(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return str(reason.strerror)
    if isinstance(reason, http.client.HTTPException):
        return "what answers there does not speak HTTP"
    return "no connection"
