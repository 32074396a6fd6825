"""Public collections of good, broken, huge and malicious files: no crash, no hang, one sentence each."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mattebox.core.errors import MatteboxError
from mattebox.core.extra import install_command
from mattebox.core.photo import Photo, read_photo

# Files that once crashed, hung or filled the memory of a decoder.
BROKEN = re.compile(r"crash|timeout|bomb|oom|ossfuzz|overflow|bad|broken|invalid|oob|truncated|segfault|dos")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mattebox-ci/collections"
# A programmer's words, which no sentence for a user has.
WORDS = re.compile(r"\(b'|0x[0-9a-f]{4}|Error\b|NoneType|argument|operand|out of range|assert|errno|codec")


def collection(name: str) -> Path:
    """The tests of a source distribution that .ci/collections.sh has fetched."""
    found = next(CACHE.glob(f"{name}==*"), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("run .ci/collections.sh")
        pytest.skip("run .ci/collections.sh")
    return found


@pytest.fixture(scope="module")
def pillow_images() -> Path:
    """The pictures of Pillow's source distribution."""
    return next(collection("pillow").glob("*/Tests/images"))


def outcome(path: Path) -> Photo | MatteboxError:
    """What reading a file gives; anything but these two fails the test."""
    try:
        return read_photo(path)
    except MatteboxError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize(("name", "files", "readable"), [
    ("pillow", 1000, 650), ("imagecodecs", 150, 60), ("pillow-heif", 80, 60)
])  # fmt: skip
def test_every_file_is_a_photo_or_one_clear_sentence(
    name: str, files: int, readable: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each file is read, or refused by one sentence of ours that begins with its path; nothing is printed."""
    paths = sorted(path for path in collection(name).rglob("*") if path.is_file())
    assert len(paths) > files
    read = 0
    for path in paths:
        found = outcome(path)
        if isinstance(found, Photo):
            read += 1
            assert found.pixels.ndim == 3
            assert found.pixels.shape[2] == {"gray": 1, "rgb": 3, "cmyk": 4}[found.mode]
            assert found.alpha is None or found.alpha.shape == found.pixels.shape[:2]
            continue
        sentence = str(found)
        assert sentence.startswith(f"{path}: "), sentence
        assert sentence.endswith((".", install_command("raw"))), sentence
        assert "\n" not in sentence
        said = sentence.removeprefix(f"{path}: ")
        assert len(said) < 320, sentence
        assert not WORDS.search(said), sentence
        cause = str(found.__cause__ or "")
        assert len(cause) < 9 or cause not in said, sentence
    assert read > readable
    assert capfd.readouterr() == ("", "")  # decoders' own remarks would stand beside the sentence


ENDINGS = (".tif", ".tiff", ".png", ".jpg", ".webp", ".avif", ".heic", ".bmp", ".gif", ".jp2", ".j2k", ".psd")


def shown_by_imagemagick(path: Path) -> bool:
    """Whether ImageMagick decodes a file's first page without a word."""
    limits = ("-limit", "memory", "512MiB", "-limit", "disk", "0", "-limit", "time", "30")
    command = ["convert", *limits, f"{path}[0]", "-scale", "1x1", "txt:-"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr and bool(done.stdout)


@pytest.mark.slow
def test_what_imagemagick_shows_is_read() -> None:
    """Of the pictures that ImageMagick shows without a complaint at least 95 % are read here."""
    if shutil.which("convert") is None:
        if os.environ.get("CI"):
            pytest.fail("run .ci/readers.sh")
        pytest.skip("run .ci/readers.sh")
    paths = [path for name in ("imagecodecs", "pillow-heif") for path in collection(name).rglob("*")]
    paths += sorted(collection("pillow").rglob("*"))[::5]
    shown = [path for path in paths if path.suffix.lower() in ENDINGS and shown_by_imagemagick(path)]
    assert len(shown) > 150
    missed = [path for path in shown if not isinstance(outcome(path), Photo)]
    assert len(missed) <= len(shown) * 0.05, missed


@pytest.mark.slow
@pytest.mark.network
def test_broken_files_go_through_the_command(
    pillow_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`mattebox cut` names each broken file once, cuts those that can be read, and ends with status 1."""
    from mattebox.cli.main import main

    broken = sorted(path for path in pillow_images.rglob("*") if path.is_file() and BROKEN.search(path.name))
    failing = [path for path in broken if isinstance(outcome(path), MatteboxError)]
    assert len(failing) > 40
    readable = [path for path in broken if path not in failing][::4]  # each takes a run of the network
    files = [str(path) for path in (*readable, *failing)]
    monkeypatch.setattr(sys, "argv", ["mattebox", "cut", *files, "-o", str(tmp_path), "-m", "u2netp"])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capfd.readouterr()
    assert end.value.code == 1
    assert "Traceback" not in out + err
    # Beside them stands how quick it is.
    sentences = [line for line in err.splitlines() if " a minute, " not in line]
    for path in failing:
        assert sum(line.startswith(f"{path}: ") for line in sentences) == 1, path
    assert len(sentences) == len(failing)
    assert len(list(tmp_path.rglob("*.png"))) == len(readable)
