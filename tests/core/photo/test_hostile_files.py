"""Pillow's own collection of broken, huge and malicious files: no crash, no hang, one sentence each."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

from mattebox.core.errors import MatteboxError
from mattebox.core.extra import install_command
from mattebox.core.photo import Photo, read_photo

# Files that once crashed, hung or filled the memory of a decoder.
BROKEN = re.compile(r"crash|timeout|bomb|oom|ossfuzz|overflow|bad|broken|invalid|oob|truncated|segfault|dos")
RELEASE = "13.0.0"


@pytest.fixture(scope="module")
def pillow_images() -> Path:
    """Tests/images of Pillow's source distribution, fetched once by pip and kept."""
    cache = Path(platformdirs.user_cache_dir("mattebox-tests"))
    images = cache / f"pillow-{RELEASE}" / "Tests" / "images"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "pillow.lock"):  # tests may run side by side
        if images.is_dir():
            return images
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "pillow"]
        subprocess.run([*fetch, "-d", cache, f"pillow=={RELEASE}"], check=True)
        with tarfile.open(cache / f"pillow-{RELEASE}.tar.gz") as archive:
            inside = f"pillow-{RELEASE}/Tests/images/"
            members = [member for member in archive if member.name.startswith(inside)]
            archive.extractall(cache, members, filter="data")
    return images


def outcome(path: Path) -> Photo | MatteboxError:
    """What reading a file gives; anything but these two fails the test."""
    try:
        return read_photo(path)
    except MatteboxError as error:
        return error


@pytest.mark.slow
def test_every_file_is_a_photo_or_one_clear_sentence(
    pillow_images: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each of the thousand files is read, or refused by one sentence that begins with its path."""
    files = sorted(path for path in pillow_images.rglob("*") if path.is_file())
    assert len(files) > 1000
    read = 0
    for path in files:
        found = outcome(path)
        if isinstance(found, Photo):
            read += 1
            assert found.pixels.ndim == 3
            assert found.pixels.shape[2] == {"gray": 1, "rgb": 3, "cmyk": 4}[found.mode]
            continue
        sentence = str(found)
        assert sentence.startswith(f"{path}: "), sentence
        assert sentence.endswith((".", install_command("raw"))), sentence
        assert "\n" not in sentence
        assert len(sentence) - len(str(path)) < 320, sentence
    assert read > 600
    assert capfd.readouterr() == ("", "")  # decoders' own remarks would stand beside the sentence


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
    sentences = err.splitlines()
    for path in failing:
        assert sum(line.startswith(f"{path}: ") for line in sentences) == 1, path
    assert len(sentences) == len(failing)
    assert len(list(tmp_path.rglob("*.png"))) == len(readable)
