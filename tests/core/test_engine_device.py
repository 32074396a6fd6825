"""Every report says where the network ran, and why that is not where it was asked to."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from mattebox.core.engine import Engine
from mattebox.core.network.device import PROVIDERS
from mattebox.core.photo import Photo
from mattebox.core.settings import CutSettings


@pytest.mark.network
def test_unused_accelerator_is_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was to use CUDA and used the CPU says both, photo by photo."""
    offered = [name for name in ort.get_available_providers() if name != PROVIDERS["cuda"]]
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    photo = Photo(np.full((40, 60, 3), 90, np.uint8), "rgb")
    settings = CutSettings(model="u2netp", quality="fast")
    report = Engine(device="cuda").cut(photo, settings).report
    assert report.device == "cpu"
    assert [note for note in report.notes if note.startswith("Device cuda does not work")] != []
    plain = Engine(device="cpu").cut(photo, settings).report
    assert plain.device == "cpu"
    assert [note for note in plain.notes if note.startswith("Device")] == []
