"""`mattebox cut - -o -`: a photo in by standard input, a cutout and nothing else out by standard output."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image


def _cut(*arguments: object, data: bytes = b"", temporary: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "mattebox.cli.main", "cut", *map(str, arguments)]
    return subprocess.run(
        command, input=data, capture_output=True, check=False, env={**os.environ, "TMPDIR": str(temporary)}
    )


@pytest.mark.slow
@pytest.mark.network
def test_a_photo_goes_through_pipes(photos: Path, tmp_path: Path) -> None:
    """The bytes are those of the file that `cut` writes; stdout holds nothing else, and no file is left."""
    photo = photos / "cat.png"
    fast = ("--quality", "fast")
    piped = _cut("-", "-o", "-", *fast, data=photo.read_bytes(), temporary=tmp_path)
    assert (piped.returncode, piped.stderr) == (0, b"")
    named = _cut(photo, "-o", tmp_path / "cat-out.png", *fast, temporary=tmp_path)
    assert named.returncode == 0
    assert piped.stdout == (tmp_path / "cat-out.png").read_bytes()
    mask = _cut(photo, "-o", "-", "-f", "mask", *fast, temporary=tmp_path)
    with Image.open(io.BytesIO(mask.stdout)) as picture:
        assert (picture.mode, picture.size) == ("L", (451, 300))
    assert not list(tmp_path.glob("mattebox-cut-*"))


@pytest.mark.slow
def test_what_is_no_photo_is_one_sentence_and_no_output(tmp_path: Path) -> None:
    """Nothing, a part of a PNG and a text each give a sentence about standard input, and no output."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "PNG")
    for data in (b"", picture.getvalue()[:90], b"hello, this is no photo"):
        done = _cut("-", "-o", "-", data=data, temporary=tmp_path)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"standard input: ")
        assert done.stderr.count(b"\n") == 1
        assert str(tmp_path).encode() not in done.stderr
    assert not list(tmp_path.glob("mattebox-cut-*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-", "-"), b"give it alone"),
        (("-", "a.png"), b"give it alone"),
        (("-", "-o", "-", "-f", "png", "-f", "mask"), b"holds one format"),
        (("-", "-o", "-", "--json"), b"go with an output that is a file"),
        (("-", "-o", "-", "--report"), b"go with an output that is a file"),
    ],
)
def test_what_a_pipe_cannot_be_is_wrong_use(arguments: tuple[str, ...], told: bytes, tmp_path: Path) -> None:
    """Two photos, two formats and reports have no place in one pipe: status 2 before anything is read."""
    done = _cut(*arguments, data=b"x", temporary=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert told in done.stderr


@pytest.mark.slow
def test_more_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    """Standard input is read up to the limit of a file's size and no further."""
    done = _cut("-", "-o", "-", "-s", "cut.limits.megabytes=1", data=b"\0" * 2_000_000, temporary=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"more than 1 MB" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_signal_while_it_reads_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM during a photo that comes slowly ends it at once and the private folder is gone."""
    command = [sys.executable, "-m", "mattebox.cli.main", "cut", "-", "-o", "-"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"\x89PNG" * 1000)
        process.stdin.flush()
        until = time.monotonic() + 60
        while not list(tmp_path.glob("mattebox-cut-*/standard-input")) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert not list(tmp_path.glob("mattebox-cut-*"))
