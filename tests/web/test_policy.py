"""Who may ask: names, origins, the token that opens once, the cookie, the password, the headers."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mattebox.web.policy import Sessions, guarded, host_name, new_token

_BASE = "http://127.0.0.1:8123"


def _client(sessions: Sessions, base: str = _BASE) -> TestClient:
    async def page(_: object) -> PlainTextResponse:
        return PlainTextResponse("inside")

    app = Starlette(routes=[Route("/", page), Route("/decide", page, methods=["GET", "POST"])])
    return TestClient(
        guarded(app, host="127.0.0.1", sessions=sessions), base_url=base, follow_redirects=False
    )


def test_the_token_opens_once_and_the_cookie_afterwards() -> None:
    """The address with the token gives one browser a cookie; the same address opens no second browser."""
    token = new_token()
    sessions = Sessions(token, cookie="mattebox-8123")
    first, second = _client(sessions), _client(sessions)
    assert first.get("/").status_code == 401
    entered = first.get("/", params={"token": token})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert cookie.startswith("mattebox-8123=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert first.get("/").text == "inside"
    assert second.get("/", params={"token": token}).status_code == 401
    assert second.get("/").status_code == 401
    # Whoever is in and uses the first address again loses the token from the address alone.
    assert first.get("/", params={"token": token}).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "ü", "%00", "None"])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    """Neither a wrong token nor a wrong cookie opens, whether the token is still unused or spent."""
    sessions = Sessions(new_token())
    client = _client(sessions)
    assert client.get("/", params={"token": token}).status_code == 401
    assert client.get("/", headers={b"cookie": f"mattebox={token}".encode()}).status_code == 401
    sessions.token = None
    assert client.get("/", params={"token": token}).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8123", 303),
        ("localhost:8123", 303),
        ("[::1]:8123", 303),
        ("127.0.0.1.evil.example:8123", 421),
        ("evil.example", 421),
        ("", 421),
        ("127.0.0.2", 421),
        ("[::1", 421),
    ],
)
def test_only_names_of_ours_are_answered(host: str, status: int) -> None:
    """A page of the web whose name leads to this machine is refused, even with the right token."""
    token = new_token()
    assert _client(Sessions(token)).get(f"/?token={token}", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8123", "http://127.0.0.1:9"]
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    """A page of another origin is refused with the right cookie too; our own page is not."""
    token = new_token()
    client = _client(Sessions(token))
    client.get("/", params={"token": token})
    assert client.post("/decide", headers={"origin": origin}).status_code == 403
    assert client.post("/decide", headers={"origin": _BASE}).text == "inside"


def test_every_answer_has_the_safe_headers() -> None:
    """Answers of the application and refusals forbid inline code, frames, sniffing and caches."""
    token = new_token()
    client = _client(Sessions(token))
    for answer in (
        client.get("/"),
        client.get("/", headers={"host": "evil.example"}),
        client.get("/", params={"token": token}),
        client.get("/"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.slow
def test_a_password_opens_and_a_wrong_one_costs_a_second() -> None:
    """With a password there is a form without code in it; a wrong one opens nothing."""
    client = _client(Sessions(None, "open sésame"), "https://127.0.0.1:8123")
    form = client.get("/")
    assert form.status_code == 401
    assert re.search(r'type="password"', form.text)
    assert "script" not in form.text
    assert "style" not in form.text
    assert client.get("/decide").status_code == 401
    assert client.post("/login", data={"password": "open sesame"}).status_code == 401
    assert client.post("/login", data={"password": "x" * 9000}).status_code == 401
    entered = client.post("/login", data={"password": "open sésame"})
    assert entered.status_code == 303
    assert "secure" in entered.headers["set-cookie"].lower()
    assert client.get("/decide").text == "inside"


def test_an_empty_password_opens_nothing() -> None:
    """Where no password is set the form is not there, and an empty one does not count."""
    for password in (None, ""):
        client = _client(Sessions(None, password))
        assert client.post("/login", data={"password": ""}).status_code == 401
        assert client.get("/").status_code == 401


@pytest.mark.parametrize(
    ("host", "name"), [("a:1", "a"), ("[::1]:5", "::1"), ("A.B", "a.b"), ("", ""), ("[", ""), ("x@y", "y")]
)
def test_the_name_of_a_host_header(host: str, name: str) -> None:
    """The port and the brackets are no part of the name; nonsense has none."""
    assert host_name(host) == name
