"""A host on a private folder, and records that lead to it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.gimp_plugin.rig import Rig, find_program, find_root, find_roots

from mattebox.core.engine import Engine
from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.mattebox.client import Record
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store


@pytest.fixture
def rendezvous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private folder with a path that is short enough for a socket."""
    folder = tmp_path_factory.mktemp("e")
    folder.chmod(0o700)
    return folder


@pytest.fixture
def record(rendezvous: Path, tmp_path: Path) -> Record:
    """A record as `mattebox gimp install` writes it; the weights' folder is empty."""
    return Record(
        command=[sys.executable, "-m", "mattebox.cli.main", "engine"],
        folder=rendezvous,
        version="test",
        environment={
            "MATTEBOX_MODELS": str(tmp_path),
            "MATTEBOX_OFFLINE": "1",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        },
        networks=[["u2net", "u2net"]],
    )


def start(host: Host) -> threading.Thread:
    """Run a host in a thread and wait until it listens."""
    ready = threading.Event()
    thread = threading.Thread(target=host.run, args=(ready.set,), daemon=True)
    thread.start()
    assert ready.wait(10)
    return thread


@pytest.fixture
def started() -> Callable[[Host], threading.Thread]:
    """Runs a host in a thread, which it returns once the host listens."""
    return start


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a fact; the test fails where it does not come true in 20 seconds."""

    def wait(fact: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not fact():
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.02)

    return wait


@pytest.fixture
def host(rendezvous: Path, tmp_path: Path) -> Iterator[Host]:
    """A host in this process whose store is empty: only rough answers can be refined."""
    served = Host(rendezvous, lambda progress: Engine(Store(tmp_path, progress=progress)), idle=0)
    thread = start(served)
    yield served
    served.stop()
    thread.join(10)
    assert not thread.is_alive()


def _stocked(root: Path | None, astronaut: Path) -> Rig:
    """A rig with a small photo; weights of the small networks are at hand."""
    for name in ("u2net", "u2netp"):
        Store().ensure(find_network(name))
    made = Rig(root)
    with Image.open(astronaut) as photo:
        photo.convert("RGB").crop((90, 0, 358, 324)).resize((67, 81)).save(made.scratch / "photo.png")
    return made


@pytest.fixture(scope="session")
def rig(shipped_photos: dict[str, Path]) -> Iterator[Rig]:
    """A real GIMP with the plug-in and a small photo."""
    root, program = find_root(), find_program()
    if root is None and program is None:
        pytest.skip("no GIMP 3: run .ci/gimp.sh")
    made = _stocked(root, shipped_photos["astronaut.png"])
    yield made
    made.stop()


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest) -> list[str]:
    """The versions of GIMP that the module's tests which will run are about, where they can be entered."""
    items = [item for item in request.session.items if item.path == request.path]
    versions = {item.callspec.params.get("version") for item in items if hasattr(item, "callspec")}
    return sorted(versions & set(find_roots()))


@pytest.fixture(scope="session")
def gimps(shipped_photos: dict[str, Path]) -> Iterator[Callable[[str], Rig]]:
    """A real GIMP of each version that is asked for, with the plug-in and a small photo."""
    made: dict[str, Rig] = {}

    def gimp(version: str) -> Rig:
        if version not in made:
            root = find_roots().get(version)
            if root is None:
                pytest.skip(f"no chroot with GIMP {version}: run .ci/gimp.sh and .ci/gimp-next.sh as root")
            made[version] = _stocked(root, shipped_photos["astronaut.png"])
        return made[version]

    yield gimp
    for rig in made.values():
        rig.stop()
