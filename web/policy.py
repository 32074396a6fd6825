"""Who may ask, and what an answer's headers say: pure ASGI middleware for the light table and the service."""

from __future__ import annotations

import asyncio
import hmac
import html
import secrets
import socket
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# Nothing from outside, no code or style within the page; pictures may be made in the page itself.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    # The address holds the token once.
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_LONGEST_PASSWORD: Final = 4096
_FAILURE_SECONDS: Final = 1.0


def new_token() -> str:
    """A secret for an address: 256 random bits in URL-safe signs."""
    return secrets.token_urlsafe(32)


class OwnNames:
    """Middleware: answers those alone who ask by a name of ours, and no page of another origin.

    A page of the web can have its own name lead to 127.0.0.1 (DNS rebinding), and it can post to any
    address; the Host header and the Origin header then say whose page that is (RFC 9110 7.2, RFC 6454 7).
    """

    def __init__(self, app: ASGIApp, *, names: frozenset[str] = LOOPBACK_NAMES) -> None:
        """names: what the Host header may say, without a port."""
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 to a foreign Host, 403 to a foreign Origin."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_ours(host_name(hosts[0])):
            await _refuse(421, "Ask by the address that Mattebox printed.")(scope, receive, send)
        elif origins and origins != [f"{scope['scheme']}://{hosts[0]}"]:
            await _refuse(403, "A page of another address may not ask.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        # Only a name can be made to lead here. Who reached a number that is ours asked for that number.
        return name in self._names or _is_address(name)


def host_name(host: str) -> str:
    """The name or address in a Host header, without port and brackets; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        return not ip_address(name).is_loopback
    except ValueError:
        return False


class SafeHeaders:
    """Middleware: headers that keep foreign code, frames, sniffing and caches away, where none were set."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers that an answer does not have."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


@dataclass(slots=True)
class Sessions:
    """Who is let in: a token that opens once, a password that opens always, a cookie afterwards.

    token: for the address; None: no address opens. password: None: none opens. cookie: the cookie's name;
    it holds the port, because browsers share a host's cookies between ports.
    """

    token: str | None
    password: str | None = field(default=None, repr=False)
    cookie: str = "mattebox"
    _open: set[str] = field(default_factory=set, repr=False)

    def knows(self, cookies: str) -> bool:
        """Whether a Cookie header belongs to somebody who was let in."""
        jar = SimpleCookie()
        try:
            jar.load(cookies)
        except CookieError:
            return False
        morsel = jar.get(self.cookie)
        return morsel is not None and any(same(morsel.value, session) for session in self._open)

    def by_token(self, token: str) -> str | None:
        """A new session for the token of the address, which opens no second one; None: it is not that."""
        if self.token is None or not same(token, self.token):
            return None
        self.token = None
        return self._new()

    def by_password(self, password: str) -> str | None:
        """A new session for the password; None: it is not that."""
        return self._new() if self.password and same(password, self.password) else None

    def _new(self) -> str:
        session = new_token()
        self._open.add(session)
        return session


def same(given: str, secret: str) -> bool:
    """Whether two texts are equal; the time it takes does not tell how much of them is."""
    return hmac.compare_digest(given.encode(), secret.encode())


class Door:
    """Middleware: lets in who has the cookie; `?token=` in the address, or the password, gives the cookie."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._guessing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 303 with a cookie to whoever opens the door, 401 to others."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        known = self._sessions.knows(Headers(scope=scope).get("cookie", ""))
        reading = scope["method"] == "GET"
        if token and reading:
            session = self._sessions.by_token(token)
            if session or known:
                await self._enter(scope, session)(scope, receive, send)
                return
        if known:
            await self._app(scope, receive, send)
        elif self._sessions.password and scope["path"] == "/login" and scope["method"] == "POST":
            await (await self._login(scope, receive))(scope, receive, send)
        elif self._sessions.password and reading and scope["path"] in ("/", "/login"):
            await HTMLResponse(_login_page(), 401)(scope, receive, send)
        else:
            await _refuse(401, _SHUT)(scope, receive, send)

    def _enter(self, scope: Scope, session: str | None) -> ASGIApp:
        """Back to the same page without the token in its address."""
        path = scope["path"] if scope["path"] != "/login" and not scope["path"].startswith("//") else "/"
        answer = RedirectResponse(path, 303)
        if session:
            answer.set_cookie(
                self._sessions.cookie,
                session,
                httponly=True,
                samesite="strict",
                secure=scope["scheme"] == "https",
            )
        return answer

    async def _login(self, scope: Scope, receive: Receive) -> ASGIApp:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > _LONGEST_PASSWORD or not message.get("more_body"):
                break
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        # One guess a second, whoever guesses.
        async with self._guessing:
            session = self._sessions.by_password(given)
            if session is None:
                await asyncio.sleep(_FAILURE_SECONDS)
                return HTMLResponse(_login_page("That is not the password."), 401)
        return self._enter(scope, session)


_SHUT: Final = (
    "This address is shut. Open the one that Mattebox printed when it began; each opens once, so start it "
    "again for another browser."
)


def _login_page(message: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mattebox</title>'
        f'<main><h1>Mattebox</h1><p role="alert">{html.escape(message)}</p>'
        '<form method="post" action="/login"><label>Password '
        '<input type="password" name="password" autocomplete="current-password" autofocus required></label> '
        "<button>Open</button></form></main></html>"
    )


def _refuse(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(f"{sentence}\n", status)


def own_names(host: str, others: Iterable[str] = ()) -> frozenset[str]:
    """What the Host header may say for a server that listens on `host`; others: names that lead to it too."""
    return LOOPBACK_NAMES | {host.lower()} | {name.lower() for name in (socket.gethostname(), *others)}


def guarded(app: ASGIApp, *, host: str, sessions: Sessions) -> ASGIApp:
    """The light table's whole policy around an application; `host` is the address that is listened on."""
    return SafeHeaders(OwnNames(Door(app, sessions), names=own_names(host)))
