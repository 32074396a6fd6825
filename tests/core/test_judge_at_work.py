"""The judge in the engine, with the real networks: what it costs to be without it, and who says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.errors import InferenceError
from mattebox.core.photo import read_photo
from mattebox.core.segment.prompt.network import Promptable
from mattebox.core.segment.prompt.prompts import Prompts
from mattebox.core.session import open_session
from mattebox.core.settings import CutSettings
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import Photo

pytestmark = [pytest.mark.network, pytest.mark.slow]

JUDGED = CutSettings(decontaminate=False)
UNJUDGED = JUDGED.model_copy(update={"judge": "none"})


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine whose networks are loaded once."""
    return Engine()


@pytest.fixture(scope="module")
def photo(shipped_photos: dict[str, Path]) -> Photo:
    """A photo of a cup."""
    return read_photo(shipped_photos["coffee.png"])


def test_balanced_is_judged_and_fast_is_not(engine: Engine, photo: Photo) -> None:
    """The report names the judge where there was one; without one wanted there is nothing to say."""
    judged = engine.cut(photo, JUDGED).report
    assert judged.judge == "mobile-sam"
    for settings in (UNJUDGED, JUDGED.model_copy(update={"quality": "fast"})):
        report = engine.cut(photo, settings).report
        assert report.judge is None
        assert not any("mobile-sam" in note for note in report.notes)


def test_what_hangs_in_the_background_stays_there(engine: Engine, shipped_photos: dict[str, Path]) -> None:
    """A flag that one opinion of four takes for the woman's is not let in."""
    alpha = engine.cut(read_photo(shipped_photos["astronaut.png"]), JUDGED).alpha
    assert not alpha[:180, :60].any()


def test_without_its_network_all_is_as_with_judge_none(
    tmp_path: Path, engine: Engine, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline and without its weights the matte is that of `judge: none`, and the report says why."""
    (tmp_path / "u2net.onnx").symlink_to(Store().ensure(find_network("u2net")))
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    alone = Engine(Store(tmp_path)).cut(photo, JUDGED)
    assert np.array_equal(alone.alpha, engine.cut(photo, UNJUDGED).alpha)
    assert alone.report.judge is None
    assert any("judged by the network mobile-sam" in note for note in alone.report.notes)


def test_a_judge_that_cannot_be_loaded_judges_nobody(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded when it is first asked, what refuses then costs the judge alone, and the report says why."""
    alone = Engine()
    (tmp_path / "mobile_sam.pt").write_bytes(b"short")
    broken = Promptable(find_network("mobile-sam"), tmp_path / "mobile_sam.pt")
    monkeypatch.setattr(alone, "_promptable", broken)
    cutout = alone.cut(photo, JUDGED)
    assert (cutout.alpha > 0).any()
    assert cutout.report.judge is None
    assert any("models verify mobile-sam" in note for note in cutout.report.notes)
    assert "models verify mobile-sam" in str(alone.promptable()[1])


def test_a_session_without_prompts_is_the_automatic_matte(engine: Engine, photo: Photo) -> None:
    """Whoever opens a session and points at nothing gets what the command cuts, to the last bit."""
    found = open_session(engine, photo, JUDGED).cut(Prompts()).alpha
    different = np.count_nonzero(found != engine.cut(photo, JUDGED).alpha)
    assert different == 0


def test_an_encode_ends_when_it_is_interrupted(engine: Engine) -> None:
    """Cancel ends the promptable network's run in another thread, and the next one is whole again."""
    network, _ = engine.promptable()
    assert network is not None
    view = np.zeros((64, 64, 3), np.uint8)
    over = threading.Event()

    def stop() -> None:
        while not over.wait(0.001):
            engine.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(InferenceError):
            network.encode(view)
    finally:
        over.set()
        thread.join()
    assert np.isfinite(network.encode(view).embedding).all()
