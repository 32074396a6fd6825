"""What cannot be read is refused with one sentence that names the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from mattebox.core.errors import LimitError, MissingExtraError, PhotoError, TruncatedPhotoError
from mattebox.core.photo import ReadLimits, probe, read_photo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The sentence names the path and says that nothing is there."""
    with pytest.raises(PhotoError, match=r"gone\.png: there is no such file"):
        read_photo(tmp_path / "gone.png")


def test_a_folder_and_a_pipe_are_no_photos(tmp_path: Path) -> None:
    """Only regular files are opened, and a pipe without a writer does not block."""
    with pytest.raises(PhotoError, match="folder"):
        read_photo(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PhotoError, match="not a regular file"):
        read_photo(tmp_path / "pipe.png")


def test_an_empty_file_may_still_be_copied(tmp_path: Path) -> None:
    """An empty file is an error that a retry can heal."""
    (tmp_path / "a.jpg").touch()
    with pytest.raises(TruncatedPhotoError) as caught:
        read_photo(tmp_path / "a.jpg")
    assert caught.value.can_retry


@pytest.mark.parametrize(
    "content", [b"hello, this is a text", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg></svg>", b"%PDF-1.7"]
)
def test_other_files_are_no_photos(tmp_path: Path, content: bytes) -> None:
    """Text, PostScript, SVG and PDF are refused by their first bytes, whatever their name."""
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(PhotoError, match="no photo that can be read") as caught:
        read_photo(tmp_path / "a.jpg")
    assert not caught.value.can_retry


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "bmp", "gif", "avif"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_a_cut_off_file_is_told_as_such(tmp_path: Path, ending: str, share: float) -> None:
    """A file that ends early never gives a half-empty picture: it raises TruncatedPhotoError."""
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(30, int(len(whole) * share))])
    with pytest.raises(TruncatedPhotoError, match="still being copied"):
        read_photo(path)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_a_cut_off_16_bit_file_is_told_as_such(tmp_path: Path, compression: str | None, share: float) -> None:
    """16-bit TIFFs and PNGs that end early raise as well."""
    noise = np.random.default_rng(1).integers(0, 65536, (120, 160, 3), dtype=np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise, photometric="rgb", compression=compression, rowsperstrip=10)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(TruncatedPhotoError):
        read_photo(path)


def test_a_cut_off_16_bit_png_is_told_as_such(tmp_path: Path, png_bytes: Callable[..., bytes]) -> None:
    """A 16-bit PNG that ends early raises TruncatedPhotoError."""
    noise = np.random.default_rng(1).integers(0, 65536, (40, 50, 3), dtype=np.uint16)
    whole = png_bytes(noise, 2)
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "a.png").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(TruncatedPhotoError):
            read_photo(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (ReadLimits(megapixels=0.0005), r"cut\.limits\.megapixels"),
        (ReadLimits(side=25), r"cut\.limits\.side"),
        (ReadLimits(megabytes=0.00003), r"cut\.limits\.megabytes"),
    ],
)
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "bmp", "gif", "avif"])
def test_each_limit_is_named_with_the_way_to_raise_it(
    rgb: NDArray[np.uint8], save: Callable[..., Path], limits: ReadLimits, named: str, ending: str
) -> None:
    """A photo beyond a limit is refused from its header, and the sentence names the setting."""
    path = save(f"a.{ending}", rgb)
    for reader in (read_photo, probe):
        with pytest.raises(LimitError, match=named):
            reader(path, limits)


def test_too_many_frames_are_refused(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    """An animation with more frames than the limit is refused."""
    frames = [Image.fromarray(np.roll(rgb, step, axis=1)) for step in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(LimitError, match=r"4 pages or frames.*cut\.limits\.frames"):
        read_photo(tmp_path / "a.gif", ReadLimits(frames=3))
    assert len(read_photo(tmp_path / "a.gif").warnings) == 1


def test_a_missing_extra_names_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rawpy the sentence says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "rawpy", None)
    (tmp_path / "a.nef").write_bytes(b"MM\0*\0\0\0\x08")
    with pytest.raises(MissingExtraError, match=r"-m pip install '?rawpy"):
        read_photo(tmp_path / "a.nef")
