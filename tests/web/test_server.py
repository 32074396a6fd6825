"""The server: its port, its refusals, its graceful end by call and by signal."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mattebox.web.errors import ServerError
from mattebox.web.server import Address, Server, check_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/slow` takes a while, `/events` never ends by itself."""
    if scope["type"] != "http":
        raise RuntimeError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": b"beg", "more_body": True})
        await asyncio.sleep(0.3)
    if scope["path"] == "/events":
        await send({"type": "http.response.body", "body": b"beg", "more_body": True})
        await receive()  # the request's end
        await receive()  # the client is gone
    await send({"type": "http.response.body", "body": b"end"})


@contextmanager
def _ask(port: int, path: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    with closing(connection), connection.getresponse() as answer:
        yield answer


def test_it_answers_without_a_banner_and_stops() -> None:
    """It answers at its address from a thread, names no software, and the port is free afterwards."""
    server = Server(_app, Address())
    server.start()
    with _ask(server.port, "/") as answer:
        assert answer.read() == b"end"
        assert answer.getheader("server") is None
    assert server.url == f"http://127.0.0.1:{server.port}"
    server.stop()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), 5)
    Server(_app, Address(port=server.port)).stop()


@pytest.mark.slow
def test_what_runs_ends_and_streams_end_at_once() -> None:
    """Stopping waits for an answer that is being given, not for a stream that has no end."""
    server = Server(_app, Address(), grace=20, streams=["/events"])
    server.start()
    with _ask(server.port, "/slow") as slow, _ask(server.port, "/events") as events:
        assert slow.read(3) == events.read(3) == b"beg"
        began = time.monotonic()
        ending = threading.Thread(target=server.stop)
        ending.start()
        assert slow.read() == b"end"
        events.read()
        ending.join(30)
    assert not ending.is_alive()
    assert time.monotonic() - began < 15  # the grace is not waited for


@pytest.mark.slow
def test_what_does_not_end_is_cut_short_after_the_grace() -> None:
    """A stream that nobody named as one does not keep the server for ever."""
    server = Server(_app, Address(), grace=1)
    server.start()
    with _ask(server.port, "/events") as events:
        server.stop()
        with pytest.raises(http.client.HTTPException):
            events.read()


def test_a_taken_port_is_a_sentence() -> None:
    """Where the port is taken the error names the address, before anything begins."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"127\.0\.0\.1:{port}: it cannot be listened on"):
            Server(_app, Address(port=port))


def test_an_unknown_host_and_broken_tls_files_are_sentences(tmp_path: Path) -> None:
    """Neither a look-up's nor a TLS library's words reach the user."""
    with pytest.raises(ServerError, match="not known here"):
        Server(_app, Address(host="no-such-host.invalid"))
    broken = tmp_path / "cert.pem"
    broken.write_text("no certificate")
    with pytest.raises(ServerError, match="cannot be used for TLS"):
        Server(_app, Address(certificate=broken, key=broken))
    with pytest.raises(ServerError, match="cannot be used for TLS"):
        Server(_app, Address(certificate=tmp_path / "none", key=broken))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", "127.0.0.1.example.org"])  # noqa: S104 - refused
def test_beyond_loopback_only_with_password_and_tls(host: str) -> None:
    """An address that others reach needs both; loopback needs neither; half of TLS is none."""
    both = {"certificate": Path("c"), "key": Path("k")}
    for address, has_password in (
        (Address(host), True),
        (Address(host, **both), False),  # type: ignore[arg-type]
    ):
        with pytest.raises(ServerError, match="password and TLS"):
            check_address(address, has_password=has_password)
    check_address(Address(host, **both), has_password=True)  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="two files"):
        check_address(Address(certificate=Path("c")), has_password=True)


def test_with_tls_files_it_speaks_tls_alone(tmp_path: Path) -> None:
    """A client that trusts the certificate is answered, one that does not use TLS is not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    server = Server(_app, Address("localhost", 0, tmp_path / "cert.pem", tmp_path / "key.pem"))
    server.start()
    try:
        assert server.url == f"https://localhost:{server.port}"
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with closing(
            http.client.HTTPSConnection("localhost", server.port, timeout=20, context=trusting)
        ) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"end"
        with pytest.raises((OSError, http.client.HTTPException)), _ask(server.port, "/"):
            pass
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_needs_nothing(host: str) -> None:
    """Addresses that this machine alone reaches need neither password nor TLS."""
    check_address(Address(host), has_password=False)


_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from mattebox.web.server import Address, Server
from test_server import _app
server = Server(_app, Address(), grace=20)
print(server.port, flush=True)
server.run()
print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_gracefully(number: signal.Signals) -> None:
    """After SIGINT or SIGTERM the running answer is given in full and the process ends by itself."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, os.fspath(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        # The socket listens before the port is told: who asks now is answered once it has begun.
        with _ask(int(process.stdout.readline()), "/slow") as answer:
            assert answer.read(3) == b"beg"
            process.send_signal(number)
            assert answer.read() == b"end"
        assert process.wait(30) == 0
        assert "ended" in process.stdout.read()
