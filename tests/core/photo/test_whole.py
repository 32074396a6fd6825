"""A file's structure tells that it is whole, and never says so of one that is not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import probe
from mattebox.core.photo.whole import is_whole
from mattebox.core.settings import ReadLimits
from mattebox.daemon.intake.inspection import InspectionTask, inspect_file

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ["jpeg", "progressive", "thumbnail", "png", "avif", "heif"]


def photo(kind: str) -> tuple[str, bytes]:
    """The format and the bytes of a small photo; one of the JPEGs has a JPEG in its EXIF."""
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    target = io.BytesIO()
    if kind == "heif":
        import pillow_heif

        pillow_heif.from_pillow(image).save(target)
    elif kind == "thumbnail":
        _, small = photo("jpeg")
        image.save(target, "jpeg", exif=b"Exif\x00\x00" + small)
    elif kind == "progressive":
        image.save(target, "jpeg", progressive=True)
    else:
        image.save(target, kind)
    return (kind if kind in ("png", "avif", "heif") else "jpeg"), target.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_whole_and_none_of_its_beginnings_is(kind: str, tmp_path: Path) -> None:
    """Cut off at every byte, with nothing or with zeros in place of what is missing."""
    form, data = photo(kind)
    path = tmp_path / "photo"
    path.write_bytes(data)
    assert is_whole(path, form)
    for end in range(1, len(data)):
        path.write_bytes(data[:end])
        assert not is_whole(path, form), end
        if any(data[end:]):
            path.write_bytes(data[:end].ljust(len(data), b"\0"))
            assert not is_whole(path, form) or any(data[:end][-64:]), end


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_file_that_got_its_size_first_is_not_whole(kind: str, tmp_path: Path) -> None:
    """However much of it is written: without its last bytes it is not whole."""
    form, data = photo(kind)
    path = tmp_path / "photo"
    for end in range(1, len(data) - 1):
        path.write_bytes(data[:end].ljust(len(data), b"\0"))
        assert not is_whole(path, form), end


@pytest.mark.parametrize("kind", [*KINDS, "webp", "tiff", "bmp", "gif"])
def test_what_is_cut_off_is_never_ready(kind: str, tmp_path: Path) -> None:
    """Whatever the format, half a file is told to be one, and a whole file is ready."""
    if kind in KINDS:
        _, data = photo(kind)
    else:
        target = io.BytesIO()
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(
            target, kind
        )
        data = target.getvalue()
    path = tmp_path / "photo"
    path.write_bytes(data)
    assert inspect_file(InspectionTask(path, ReadLimits(), path.with_suffix(".mark"))).problem == ""
    for share in (0.3, 0.6, 0.9, 0.98):
        path.write_bytes(data[: int(len(data) * share)])
        found = inspect_file(InspectionTask(path, ReadLimits(), path.with_suffix(".mark")))
        assert found.problem, share
        assert found.truncated or kind in ("bmp", "gif", "tiff", "avif", "heif"), (share, found.problem)


@given(st.binary(max_size=200), st.sampled_from(["jpeg", "png", "heif", "webp"]))
def test_any_bytes_are_looked_at_without_an_error(data: bytes, kind: str) -> None:
    """Lengths that lie lead nowhere."""
    import tempfile
    from pathlib import Path

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert is_whole(Path(file.name), kind) in (True, False)


def test_an_empty_file_is_not_ready(tmp_path: Path) -> None:
    """It may be about to be written."""
    path = tmp_path / "photo.jpg"
    path.touch()
    with pytest.raises(TruncatedPhotoError):
        probe(path)
    assert inspect_file(InspectionTask(path, ReadLimits(), path.with_suffix(".mark"))).truncated
