"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import mattebox.core  # noqa: F401 - before any test imports onnxruntime: it forbids telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Else a test's answers would depend on whether another made the 8-bit form of a network before it.
os.environ.setdefault("MATTEBOX_PRECISION", "full")

# A property holds or not, however slow the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def _shipped_photos() -> dict[str, Path]:
    """Real photos that scikit-image and scikit-learn carry in their wheels."""
    import skimage
    import sklearn

    shipped = Path(skimage.__file__).parent / "data"
    samples = Path(sklearn.__file__).parent / "datasets" / "images"
    return {
        "astronaut.png": shipped / "astronaut.png",
        "cat.png": shipped / "chelsea.png",
        "coffee.png": shipped / "coffee.png",
        "flower.jpg": samples / "flower.jpg",
    }


@pytest.fixture(scope="session")
def shipped_photos() -> dict[str, Path]:
    """Name -> path of real photos; read only."""
    return _shipped_photos()


@pytest.fixture
def photos(tmp_path: Path, shipped_photos: dict[str, Path]) -> Path:
    """A folder of its own with copies of the real photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, path in shipped_photos.items():
        shutil.copy(path, folder / name)
    return folder


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty folder on a memory disk where there is one, else on the ordinary disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # noqa: ANN201 - a pluggy wrapper
    """In CI nothing is skipped silently: a skip there is a failure."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {item.nodeid}: {report.longrepr}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes a file's tests stay in one of them, unless it is marked `scattered`."""
    for item in items:
        if item.get_closest_marker("scattered") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a line that stands at the end of the run, where figures are read."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests told, whichever process ran them."""
    reports = (report for told in terminalreporter.stats.values() for report in told)
    lines = [
        str(value)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write("".join(f"{line}\n" for line in lines))
