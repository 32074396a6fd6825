"""The store keeps verified weights only, fetches once, and survives whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.models.catalogue import UrlSource
from mattebox.models.errors import LicenceError, WeightsError
from mattebox.models.store import Store, models_folder

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 400


def leftovers(folder: Path) -> list[str]:
    """What lies in a store's folder beside weights, their seals and locks."""
    return sorted(
        item.name
        for item in folder.iterdir()
        if not item.name.endswith((".lock", ".seal.json")) and item.suffix != ".onnx"
    )


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)


def test_fetched_weights_are_the_bytes_of_the_source(tmp_path: Path, site: Any, notes: Any) -> None:
    """The first source that works gives the file, and every byte is counted."""
    site.files["/a"] = DATA
    path = Store(tmp_path / "new", progress=notes).ensure(site.network("/a"))
    assert path.read_bytes() == DATA
    assert notes.arrived == len(DATA)
    assert notes.running == 0
    assert leftovers(tmp_path / "new") == []


def test_second_run_touches_no_network(tmp_path: Path, site: Any) -> None:
    """Weights that are here are not fetched again, by the same store or another."""
    site.files["/a"] = DATA
    network = site.network("/a")
    Store(tmp_path).ensure(network)
    assert Store(tmp_path).ensure(network) == Store(tmp_path).find(network)
    assert site.visits == ["/a"]


def test_failed_source_falls_through_with_one_line(tmp_path: Path, site: Any, notes: Any) -> None:
    """A missing file and a dead server each cost one line, then the third source serves."""
    site.files["/good"] = DATA
    network = site.network("/good", sources=())
    dead = "http://127.0.0.1:9/x"
    sources = tuple(UrlSource(url) for url in (site.address + "/gone", dead, site.address + "/good"))
    path = Store(tmp_path, progress=notes).ensure(site.network("/good", sources=sources))
    assert path.read_bytes() == DATA
    assert len(notes.lines) == 2
    assert "404" in notes.lines[0]
    assert dead in notes.lines[1]
    assert all(line.endswith("trying the next source.") for line in notes.lines)
    assert network.sha256 == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize("wrong", [b"x" * len(DATA), DATA[:-1], DATA + b"x"], ids=["hash", "short", "long"])
def test_wrong_bytes_never_get_the_final_name(tmp_path: Path, site: Any, wrong: bytes) -> None:
    """A file of the wrong hash or size is refused, and nothing of it stays."""
    site.files["/a"] = DATA
    network = site.network("/a")
    site.files["/a"] = wrong
    with pytest.raises(WeightsError, match="'mattebox models add tiny FILE'"):
        Store(tmp_path).ensure(network)
    assert not Store(tmp_path).path(network).exists()
    assert leftovers(tmp_path) == []


def test_broken_transfer_goes_on_where_it_stopped(tmp_path: Path, site: Any, notes: Any) -> None:
    """A connection that breaks half-way costs the missing half only."""
    site.files["/a"] = DATA
    site.cut = 40_000
    path = Store(tmp_path, progress=notes).ensure(site.network("/a"))
    assert path.read_bytes() == DATA
    assert site.visits == ["/a", "/a"]
    assert notes.arrived == len(DATA)


def test_offline_nothing_is_fetched(tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """MATTEBOX_OFFLINE=1 turns missing weights into a sentence, without one visit."""
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    site.files["/a"] = DATA
    with pytest.raises(WeightsError, match=r"not here .*MATTEBOX_OFFLINE.*models add tiny FILE"):
        Store(tmp_path).ensure(site.network("/a"))
    assert site.visits == []


def test_offline_weights_that_are_here_serve(
    tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, weights placed by hand are used once they are verified."""
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    site.files["/a"] = DATA
    (tmp_path / "tiny.onnx").write_bytes(DATA)
    assert Store(tmp_path).ensure(site.network("/a")) == tmp_path / "tiny.onnx"


def test_damaged_weights_are_not_used(tmp_path: Path, site: Any, notes: Any) -> None:
    """A file in the cache that changed behind our back is fetched again."""
    site.files["/a"] = DATA
    network = site.network("/a")
    path = Store(tmp_path).ensure(network)
    path.write_bytes(b"x" * len(DATA))
    assert Store(tmp_path).find(network) is None
    assert Store(tmp_path, progress=notes).ensure(network).read_bytes() == DATA
    assert "damaged" in notes.lines[0]


def test_non_commercial_licence_asks_for_consent(tmp_path: Path, site: Any) -> None:
    """Weights that forbid commercial use are neither fetched nor used without consent."""
    site.files["/a"] = DATA
    network = site.network("/a", commercial=False, licence="NC-1")
    with pytest.raises(LicenceError, match=r"NC-1.*--accept-licence.*accept_licence: true"):
        Store(tmp_path).ensure(network)
    assert site.visits == []
    Store(tmp_path).ensure(network, accept_licence=True)
    with pytest.raises(LicenceError):
        Store(tmp_path).ensure(network)


def test_unstated_licence_asks_for_nothing(tmp_path: Path, site: Any) -> None:
    """Where nobody says anything about commercial use, the list says so and nothing is asked."""
    site.files["/a"] = DATA
    assert Store(tmp_path).ensure(site.network("/a", commercial=None)).exists()


def test_md5_alone_verifies_and_the_sha256_is_remembered(tmp_path: Path, site: Any, notes: Any) -> None:
    """A row with only an md5 is verified by it, and says which sha256 it saw."""
    site.files["/a"] = DATA
    md5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
    network = site.network("/a", sha256=None, md5=md5)
    store = Store(tmp_path, progress=notes)
    store.ensure(network)
    assert hashlib.sha256(DATA).hexdigest() in notes.lines[-1]
    assert store.verify(network) == hashlib.sha256(DATA).hexdigest()
    with pytest.raises(WeightsError, match="not the tiny"):
        Store(tmp_path / "other").ensure(site.network("/a", sha256=None, md5="0" * 32))


def test_unpublished_hash_is_pinned_by_the_first_download(tmp_path: Path, site: Any, notes: Any) -> None:
    """Without any published hash the first download counts; another file is refused later."""
    site.files["/a"] = DATA
    network = site.network("/a", sha256=None, size=None)
    path = Store(tmp_path, progress=notes).ensure(network)
    assert "first download" in notes.lines[-1]
    path.unlink()
    site.files["/a"] = DATA[::-1]
    with pytest.raises(WeightsError, match="not the tiny"):
        Store(tmp_path).ensure(network)
    site.files["/a"] = DATA
    assert Store(tmp_path).ensure(network).read_bytes() == DATA


def test_added_file_is_verified_like_a_fetched_one(tmp_path: Path, site: Any) -> None:
    """`add` takes the right file and refuses a wrong one, which changes nothing."""
    site.files["/a"] = DATA
    network = site.network("/a")
    store = Store(tmp_path / "store")
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.write_bytes(b"x" * len(DATA))
    right.write_bytes(DATA)
    with pytest.raises(WeightsError, match="It was not added"):
        store.add(network, wrong)
    assert store.find(network) is None
    assert store.add(network, right).read_bytes() == DATA
    with pytest.raises(WeightsError, match="It was not added"):
        store.add(network, wrong)
    assert store.verify(network) == network.sha256
    with pytest.raises(WeightsError, match="it cannot be read"):
        store.add(network, tmp_path / "nowhere")
    assert right.exists()
    assert site.visits == []


def test_verify_tells_missing_from_damaged(tmp_path: Path, site: Any) -> None:
    """`verify` reads the whole file, and its sentences say what to do."""
    site.files["/a"] = DATA
    network = site.network("/a")
    store = Store(tmp_path)
    with pytest.raises(WeightsError, match="are not here"):
        store.verify(network)
    path = store.ensure(network)
    stamp = path.stat()
    path.write_bytes(b"x" * len(DATA))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert store.find(network) == path
    with pytest.raises(WeightsError, match="is damaged"):
        store.verify(network)
    assert store.find(network) is None


def test_a_failed_verification_keeps_the_expected_hash(tmp_path: Path, site: Any) -> None:
    """Where only the first download says what is right, damage neither passes nor becomes what is right."""
    site.files["/a"] = DATA
    network = site.network("/a", sha256=None)
    store = Store(tmp_path)
    path = store.ensure(network)
    stamp = path.stat()
    path.write_bytes(b"x" * len(DATA))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(WeightsError, match="is damaged"):
            store.verify(network)
        assert store.find(network) is None
    path.write_bytes(DATA)
    assert store.find(network) == path


def test_add_copies_no_more_than_the_known_size(tmp_path: Path, site: Any) -> None:
    """Of a file that is too long little more than the network's size is written; a device is no file."""
    site.files["/a"] = DATA
    network = site.network("/a")
    store = Store(tmp_path / "store")
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1 << 30)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The system refuses a file of more than 4 MB: a copy that went on would be told in other words.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, hard))
    try:
        with pytest.raises(WeightsError, match=f"more than the {len(DATA)} bytes"):
            store.add(network, huge)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(WeightsError, match="no file"):
        store.add(network, tmp_path.joinpath("/dev/zero"))
    assert leftovers(store.folder) == []


def test_unusable_folder_is_one_sentence(tmp_path: Path, site: Any) -> None:
    """A store whose folder cannot be made says so and names MATTEBOX_MODELS."""
    site.files["/a"] = DATA
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="MATTEBOX_MODELS"):
        Store(tmp_path / "file" / "store").ensure(site.network("/a"))


def test_folder_of_weights_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MATTEBOX_MODELS names the folder; without it the platform's cache does."""
    monkeypatch.setenv("MATTEBOX_MODELS", str(tmp_path))
    assert models_folder() == tmp_path
    monkeypatch.delenv("MATTEBOX_MODELS")
    assert models_folder().parts[-2:] == ("mattebox", "models")


def start(folder: Path, address: str, digest: str) -> subprocess.Popen[str]:
    """Another process that wants the network `tiny` of a site."""
    code = f"""
        from pathlib import Path
        from mattebox.models.catalogue import Network, UrlSource
        from mattebox.models.store import Store
        network = Network(
            name="tiny", about="", file="tiny.onnx", input_size=32, mean=(0, 0, 0), std=(1, 1, 1), scale=1.0,
            activation="none", licence="MIT", commercial=True, sources=(UrlSource({address!r}),),
            size={len(DATA)}, sha256={digest!r},
        )
        print(Store(Path({str(folder)!r})).ensure(network).stat().st_size)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.PIPE,
    )


def test_processes_that_want_the_same_weights_fetch_them_once(tmp_path: Path, site: Any) -> None:
    """Of three processes that start together, one fetches and all get the file."""
    site.files["/a"] = DATA
    site.pace = 0.01
    digest = hashlib.sha256(DATA).hexdigest()
    processes = [start(tmp_path, site.address + "/a", digest) for _ in range(3)]
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out.strip()) == (0, str(len(DATA)))
    assert site.visits == ["/a"]
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on Windows")
def test_killed_fetch_leaves_nothing_under_the_final_name(tmp_path: Path, site: Any) -> None:
    """After kill -9 in mid-transfer the final name is free, and the next run clears up and fetches."""
    site.files["/a"] = DATA
    site.pace = 0.05
    network = site.network("/a")
    process = start(tmp_path, site.address + "/a", network.sha256 or "")
    while not any(item.stat().st_size for item in tmp_path.glob(".tiny.onnx.fetch-*/tiny.onnx")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (tmp_path / "tiny.onnx").exists()
    assert leftovers(tmp_path) != []
    site.pace = 0
    assert Store(tmp_path).ensure(network).read_bytes() == DATA
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no modes on Windows")
def test_read_only_folder_serves(tmp_path: Path, site: Any) -> None:
    """Weights in a folder that nobody may write are found and used."""
    site.files["/a"] = DATA
    network = site.network("/a")
    Store(tmp_path / "seed").ensure(network)
    shared = tmp_path / "shared"
    shared.mkdir()
    shutil.copy(tmp_path / "seed" / "tiny.onnx", shared)
    # A folder where the seal would go makes the write fail even for root, whom modes do not bind.
    (shared / "tiny.onnx.seal.json").mkdir()
    assert Store(shared).ensure(network) == shared / "tiny.onnx"


def test_what_goes_without_is_not_asked_for_again_within_a_day(tmp_path: Path, site: Any) -> None:
    """Optional weights that could not be fetched rest for a day; then, or when asked outright, they come."""
    site.files["/a"] = DATA
    network = site.network("/a")
    del site.files["/a"]
    store = Store(tmp_path)
    for _ in range(3):
        with pytest.raises(WeightsError):
            store.ensure_optional(network)
    asked = len(site.visits)
    with pytest.raises(WeightsError, match="models pull"):
        Store(tmp_path).ensure_optional(network)
    assert len(site.visits) == asked
    site.files["/a"] = DATA
    (mark,) = tmp_path.glob("*.unavailable")
    os.utime(mark, (time.time() - 2 * 86_400,) * 2)
    assert store.ensure_optional(network).read_bytes() == DATA
    assert not list(tmp_path.glob("*.unavailable"))


def test_offline_leaves_no_mark_of_a_failure(
    tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Optional weights that were not looked for offline are looked for as soon as that is allowed."""
    site.files["/a"] = DATA
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    with pytest.raises(WeightsError):
        Store(tmp_path).ensure_optional(site.network("/a"))
    monkeypatch.delenv("MATTEBOX_OFFLINE")
    assert Store(tmp_path).ensure_optional(site.network("/a")).read_bytes() == DATA
