"""Fixtures of the PSD writer's tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.core.write.psd.samples import build
from tests.core.write.psd.validator import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.core.composition import Composition


@pytest.fixture
def composition_of() -> Callable[..., Composition]:
    """Builds compositions."""
    return build


@pytest.fixture(scope="session")
def node_path() -> str:
    """The folder that .ci/ag-psd.sh installs into."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "mattebox-ci" / "ag-psd" / "node_modules"
    if not folder.is_dir():
        pytest.skip("ag-psd is not installed; run .ci/ag-psd.sh")
    return str(folder)


@pytest.fixture(autouse=True)
def every_psd_keeps_to_the_specification(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each PSD that a test leaves in its folder is read by the validator; it finds no fault."""
    if "tmp_path" not in request.fixturenames or request.node.get_closest_marker("broken_psd"):
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    yield
    faults = {
        path.name: found.faults
        for path in folder.rglob("*.ps[db]")
        if path.is_file() and (found := inspect(path)).faults
    }
    assert faults == {}
