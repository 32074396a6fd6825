"""Promise 5 holds for the libraries under us too: no word to anybody, no file in others' folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from tests.privacy.guard import HERE, Findings, Guarded
from tests.privacy.sessions import SESSIONS

from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

SECONDS = 60.0
# A Python that starts with this does not know what Mattebox forbids.
WITHOUT_THE_CURE = """
import os, sys
class Undo:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            os.environ.pop("ORT_DISABLE_TELEMETRY", None)
        if name == "openvino":
            sys.modules.pop("openvino_telemetry", None)
sys.meta_path.insert(0, Undo())
"""


@pytest.fixture(scope="module")
def all_findings(
    tmp_path_factory: pytest.TempPathFactory, shipped_photos: dict[str, Path]
) -> Iterator[dict[str, Findings]]:
    """What each session did in a minute; they run side by side, and two of them without the cure too."""
    if sys.platform != "linux" or not all(map(shutil.which, ("strace", "unshare"))):
        pytest.skip("no strace: run .ci/strace.sh")
    # The judge's too: what is not here is fetched, and that is no word behind anybody's back.
    weights = [Store().ensure(find_network(name)) for name in ("u2netp", "mobile-sam")]
    folder = tmp_path_factory.mktemp("privacy")
    pillow_heif.register_heif_opener()
    kinds = {"watch-openvino": ".heic", "api": ".tif"}
    with Image.open(shipped_photos["flower.jpg"]) as picture:
        for kind in (".jpg", *kinds.values()):
            picture.resize((320, 213)).save(folder / f"flower{kind}")
    (folder / "sitecustomize.py").write_text(WITHOUT_THE_CURE, encoding="utf-8")

    def begin(name: str, environment: dict[str, str] | None = None) -> Guarded:
        photo = folder / f"flower{kinds.get(name, '.jpg')}"
        script = [sys.executable, str(HERE / "sessions.py"), name, str(photo), str(SECONDS)]
        return Guarded(script, weights, environment)

    running = {name: begin(name) for name in SESSIONS}
    for name in ("watch", "api"):
        running[f"{name} without the cure"] = begin(name, {"PYTHONPATH": str(folder)})
    try:
        yield {name: session.findings(240) for name, session in running.items()}
    finally:
        for session in running.values():
            session.remove()


def _told(findings: Findings) -> str:
    foreign = len(findings.foreign_files())
    return (
        f"{findings.threads} threads and processes, {len(findings.lookups)} look-ups, "
        f"{len(findings.network)} network calls, {len(findings.files)} files touched, {foreign} foreign"
    )


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_of_a_minute_speaks_to_nobody(
    name: str, all_findings: dict[str, Findings], figure: Callable[[str], None]
) -> None:
    """Each door cuts photos for a minute without one look-up, connection or datagram."""
    findings = all_findings[name]
    figure(f"{name}, {SECONDS:g} s: {_told(findings)}")
    assert findings.status == 0, findings.words
    assert "the session's work is done" in findings.words
    assert findings.lookups == ()
    assert findings.network == ()


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_writes_into_our_own_folders_alone(name: str, all_findings: dict[str, Findings]) -> None:
    """What is made, changed or removed lies in the outputs, the state, our cache or the temporary folder."""
    findings = all_findings[name]
    assert any("/work/" in path for path in findings.files) or name in ("engine", "api")
    assert findings.foreign_files() == []
    assert [path for path in (findings.root / "tmp").rglob("*") if path.is_file()] == []


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "host", "file"),
    [
        ("watch", "events.data", ".cache/Microsoft/DeveloperTools/.onnxruntime/deviceid"),
        ("api", "events.data", ".cache/Microsoft/DeveloperTools/.onnxruntime/deviceid"),
        ("api", "google-analytics", "intel/openvino_ga_cid"),
    ],
)
def test_the_guard_sees_what_libraries_do_where_nothing_forbids_it(
    name: str, host: str, file: str, all_findings: dict[str, Findings], figure: Callable[[str], None]
) -> None:
    """The same sessions without the cure ask for the makers' hosts and leave the makers' files."""
    findings = all_findings[f"{name} without the cure"]
    figure(f"{name} without the cure, {SECONDS:g} s: {_told(findings)}")
    assert findings.status == 0, findings.words
    assert any(host in asked for asked in findings.lookups), findings.lookups
    assert any("htons(53)" in call for call in findings.network)
    assert str(findings.root / "home" / file) in findings.foreign_files()


@pytest.mark.parametrize(
    "module", ["mattebox.core", "mattebox.core.network.runtime", "mattebox.daemon.work.workers"]
)
def test_whatever_is_imported_first_forbids_telemetry(module: str) -> None:
    """The variable is set as any part of the core is imported, whatever the user's environment says."""
    facts = "os.environ['ORT_DISABLE_TELEMETRY'], sys.modules['openvino_telemetry']"
    code = f"import {module}, os, sys; print({facts})"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "None"]


def test_each_dependency_was_looked_at() -> None:
    """docs/privacy.md has a word on every library that an install can bring, in its table."""
    root = HERE.parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = [*project["dependencies"], *(line for name in extras if name != "dev" for line in extras[name])]
    names = {re.split(r"[^A-Za-z0-9-]", line, maxsplit=1)[0] for line in listed}
    page = (root / "docs" / "privacy.md").read_text(encoding="utf-8")
    told = {word for line in page.splitlines() if line.startswith("| ") for word in re.split(r"[ ,|]+", line)}
    assert names - told == set()


def test_only_the_core_loads_what_reports() -> None:
    """Nothing but the core, whose import forbids telemetry, imports onnxruntime or OpenVINO."""
    root = HERE.parents[1]
    loads = re.compile(r"^\s*(?:import|from) (?:onnxruntime|openvino)\b", re.MULTILINE)
    for room in ("cli", "daemon", "gimp_plugin", "models", "web", "bench"):
        for path in (root / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if match := loads.search(text):
                assert room == "bench", path
                assert 0 <= text.find("import mattebox.core") < match.start(), path
