"""`mattebox serve`: what it refuses, and its life from the first line to SIGTERM."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from mattebox.cli.main import app
from mattebox.core.errors import MatteboxError


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", "example.org"), "--api-keys and TLS"),
        (("--host", "192.0.2.1", "--tls-certificate", "c.pem", "--tls-key", "k.pem"), "--api-keys and TLS"),
        (("--tls-certificate", "c.pem"), "two files"),
        (("--api-keys", "none.txt"), "the keys cannot be read"),
    ],
)
def test_an_address_beyond_this_machine_needs_keys_and_tls(options: tuple[str, ...], told: str) -> None:
    """It is refused before anything is loaded or listened on."""
    done = CliRunner().invoke(app, ["serve", *options])
    assert isinstance(done.exception, MatteboxError)
    assert told in str(done.exception)


def test_a_file_without_a_key_is_no_open_door(tmp_path: Path) -> None:
    """An empty file of keys was a mistake, not the wish that everybody may ask."""
    (tmp_path / "keys").write_text("\n \n")
    done = CliRunner().invoke(app, ["serve", "--api-keys", str(tmp_path / "keys")])
    assert "there is no key in it" in str(done.exception)


@pytest.mark.parametrize("option", ["--max-upload", "--timeout", "--memory", "--grace"])
def test_what_is_no_quantity_is_wrong_use(option: str) -> None:
    """Sizes and durations are written as in the YAML."""
    done = CliRunner().invoke(app, ["serve", option, "plenty"])
    assert done.exit_code == 2
    assert "'plenty' is no" in done.stderr


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_it_serves_until_sigterm(tmp_path: Path, shipped_photos: dict[str, Path]) -> None:
    """The first line has the address, a photo comes back, SIGTERM ends it with 0 and leaves no file."""
    command = [sys.executable, "-m", "mattebox.cli.main", "serve", "--port", "0", "--quality", "fast"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[1].rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
            body = (
                b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\n'
                + shipped_photos["cat.png"].read_bytes()
                + b"\r\n--x--\r\n"
            )
            kind = "multipart/form-data; boundary=x"
            connection.request("POST", "/v1/cut", body, {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200
            assert json.loads(answer.read())["outputs"][0]["format"] == "png"
        assert list(tmp_path.iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)
