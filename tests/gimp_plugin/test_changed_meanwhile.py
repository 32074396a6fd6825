"""In real GIMP 3.0 and 3.2: what the user does to a layer during a cut is never overwritten by its answer."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from tests.gimp_plugin.rig import SCRIPTS, Rig

from mattebox.gimp_plugin.mattebox import protocol
from mattebox.gimp_plugin.mattebox.client import Engine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(900)]

CHANGED = "The layer “photo” changed meanwhile; nothing was changed. Start the cut again."
SAYS = {
    "scale": CHANGED,
    "crop": CHANGED,
    "gray": CHANGED,
    "deep": CHANGED,
    "move": CHANGED,
    "fill": CHANGED,
    "filter": CHANGED,
    "delete": "The layer was deleted meanwhile; nothing was changed.",
    "mask": "The mask of the layer “photo” changed meanwhile; nothing was changed. Start the cut again.",
    "selection": "The selection changed meanwhile; nothing was changed. Start the cut again.",
}
VERSIONS = ["3.0", "3.2"]
Cases = Callable[[str], "Rig"]


@pytest.fixture(scope="module")
def cases(gimps: Callable[[str], Rig], shipped_photos: dict[str, Path], asked: list[str]) -> Iterator[Cases]:
    """All cases of a version, done in one GIMP the first time that one is asked for."""
    begun: dict[str, tuple[Rig, Future[None]]] = {}

    def begin(version: str) -> None:
        rig = gimps(version)
        with Image.open(shipped_photos["astronaut.png"]) as shipped:
            Image.fromarray(np.asarray(shipped.convert("RGB"))).save(rig.scratch / "large.png")
        helper = rig.plugin.parent / "changer" / "changer.py"
        helper.parent.mkdir()
        shutil.copy(SCRIPTS / "changer.py", helper)
        helper.chmod(0o755)

        def run() -> None:
            try:
                run_all(rig)
            finally:
                shutil.rmtree(helper.parent)

        begun[version] = rig, both.submit(run)

    def results(version: str) -> Rig:
        # Both side by side: most of a case is waiting.
        for name in (version, *asked):
            if name not in begun:
                begin(name)
        rig, run = begun[version]
        run.result()
        return rig

    with ThreadPoolExecutor(len(VERSIONS)) as both:
        yield results


def run_all(rig: Rig) -> None:
    """Cut in GIMP in a thread, and change each image while its pixels are at the engine."""
    # Nothing runs of another test whose network is not loaded, so that the first case starts like the others.
    changes = ["nothing", *SAYS]
    failed: list[BaseException] = []

    def cut() -> None:
        try:
            rig.run("meanwhile", timeout=600, changes=changes)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    thread = threading.Thread(target=cut)
    thread.start()

    def until(fact: Callable[[], bool]) -> None:
        end = time.monotonic() + 120
        while not fact():
            assert thread.is_alive(), failed
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    for change in changes:
        until((rig.scratch / f"{change}.ids").exists)
        until(lambda: engine_status(rig).get("busy", False))
        pid = int(engine_status(rig)["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            assert not (rig.scratch / f"meanwhile-{change}.json").exists(), "the cut was over too early"
            (rig.scratch / f"{change}.change").write_text("")
            until((rig.scratch / f"{change}.done").exists)
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda change=change: (rig.scratch / f"meanwhile-{change}.json").exists())  # type: ignore[misc]
    thread.join()
    assert not failed


def engine_status(rig: Rig) -> dict[str, Any]:
    """What the engine says of itself; nothing where none runs yet."""
    if not protocol.key_file(rig.rendezvous).exists():
        return {}
    engine = Engine(rig.record, lambda _: None)
    protocol.send(engine._wire, "status")
    answer = engine._next()
    engine.close()
    return answer


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_change_the_mask_comes(cases: Cases, version: str) -> None:
    """The other cases differ from this one by their change alone."""
    found = cases(version).result("meanwhile-nothing")
    assert (found["status"], found["error"], found["untouched"]) == ("success", "", False)


@pytest.mark.parametrize(
    ("version", "change"), [(version, change) for version in VERSIONS for change in SAYS]
)
def test_a_change_during_the_cut_is_kept(cases: Cases, version: str, change: str) -> None:
    """One sentence, and no mask but the one that the user made."""
    found = cases(version).result(f"meanwhile-{change}")
    assert (found["status"], found["error"]) == ("execution-error", SAYS[change])
    assert found["untouched"]
