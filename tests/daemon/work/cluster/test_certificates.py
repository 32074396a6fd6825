"""Who may talk to a cluster: addresses that are refused, and keys that let in or keep out."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.daemon.work.cluster.real import RealCluster

from mattebox.cli.cluster import command
from mattebox.daemon.config.cluster import KEY, Certificates, address_problem
from mattebox.daemon.work.cluster.certificates import make_certificates
from mattebox.daemon.work.cluster.host import listen_address
from mattebox.daemon.work.cluster.library import ClusterError, load
from mattebox.daemon.work.cluster.security import security


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://127.9.9.9:65535", "tcp://[::1]:8786"],
)
def test_this_machine_needs_no_certificate(address: str) -> None:
    """Nobody else reaches it."""
    assert address_problem(address, None) is None


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("tcp://10.0.0.1:8786", "runs any code"),
        ("tcp://0.0.0.0:8786", "runs any code"),
        ("tcp://localhost.example.com:8786", "runs any code"),
        ("tcp://[::]:8786", "runs any code"),
        ("tls://10.0.0.1:8786", "needs certificates"),
        ("tls://10.0.0.1", "tls://HOST:PORT"),
        ("http://10.0.0.1:8786", "tls://HOST:PORT"),
        ("10.0.0.1:8786", "tls://HOST:PORT"),
        ("tls://10.0.0.1:99999", "tls://HOST:PORT"),
        ("tls://:8786", "tls://HOST:PORT"),
        ("", "tls://HOST:PORT"),
    ],
)
def test_beyond_this_machine_only_tls_is_used(address: str, word: str) -> None:
    """Each other address is refused with what to write."""
    problem = address_problem(address, None)
    assert problem is not None
    assert word in problem


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    """With the command that makes them."""
    problem = address_problem("tls://10.0.0.1:8786", Certificates(tmp_path))
    assert problem is not None
    assert "cluster.pem" in problem
    assert "mattebox cluster certs" in problem
    with pytest.raises(ClusterError, match="is missing"):
        security(Certificates(tmp_path))


def test_the_key_is_the_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    """Mode 0600; a second call says so and changes nothing."""
    folder = tmp_path / "certs"
    make_certificates(folder, 10)
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ClusterError, match="there already"):
        make_certificates(folder, 10)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_certificate_is_what_openssl_takes_for_both_sides(tmp_path: Path) -> None:
    """An independent reader verifies it against its authority, as a server's and as a client's."""
    import shutil
    import subprocess

    make_certificates(tmp_path / "certs", 10)
    openssl = shutil.which("openssl")
    assert openssl is not None
    for purpose in ("sslserver", "sslclient"):
        done = subprocess.run(
            [openssl, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", "cluster.pem"],
            cwd=tmp_path / "certs",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_only_who_has_the_key_gets_in(tmp_path: Path) -> None:
    """A real scheduler with TLS takes its own; a stranger's certificates and plain TCP are turned away."""
    for name in ("ours", "theirs"):
        make_certificates(tmp_path / name, 10)
    address = listen_address("127.0.0.1", 0, tmp_path / "ours")
    port = int(address.rpartition(":")[2])
    cluster = RealCluster(port, tmp_path / "log")
    ours = os.fspath(tmp_path / "ours")
    cluster.start("scheduler", "up", "--no-workers", "--port", str(port), "--certificates", ours)
    try:
        assert asyncio.run(comes_in(address, security(Certificates(tmp_path / "ours")), 60))
        assert not asyncio.run(comes_in(address, security(Certificates(tmp_path / "theirs")), 3))
        assert not asyncio.run(comes_in(address.replace("tls:", "tcp:"), security(None), 3))
    finally:
        cluster.stop()


async def comes_in(address: str, secured: Any, seconds: float) -> bool:
    """Whether a client is let in."""
    try:
        client = await load().Client(
            address, asynchronous=True, security=secured, timeout=seconds, set_as_default=False
        )
    except (OSError, TimeoutError):
        return False
    await client.close()
    return True


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["worker", "tcp://10.0.0.1:8786"], "runs any code"),
        (["up", "--host", "10.0.0.1"], "runs any code"),
        (["worker", "tcp://127.0.0.1:1", "--map", "photos"], "such as"),
        (["worker", "tcp://127.0.0.1:1", "--resources", "GPU"], "GPU=1"),
        (["worker", "tcp://127.0.0.1:1", "--memory", "much"], "4GB"),
    ],
)
def test_wrong_use_is_told_before_anything_starts(arguments: list[str], word: str) -> None:
    """Exit status 2 and what to write."""
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    assert word in done.output.replace("\n", " ")
