"""The installer: every profile gets the plug-in whole, nothing else is touched, and the doctor says why."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from multiprocessing.connection import Listener
from pathlib import Path

import pytest
from click.testing import CliRunner

from mattebox.cli.gimp import command
from mattebox.gimp_plugin.doctor import examine, examine_engine
from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.install import InstallError, files, install, record, remove
from mattebox.gimp_plugin.mattebox import protocol
from mattebox.gimp_plugin.profiles import find_profiles, profile_at
from mattebox.gimp_plugin.rendezvous import HostError, acquire

DETAILS = {
    "command": ["/bin/sh"],
    "folder": "/x",
    "version": "1",
    "environment": {},
    "networks": [["u2net", "u2net"]],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with native and Flatpak profiles, an old GIMP's too."""
    for folder in (".config/GIMP/2.10", ".config/GIMP/3.0", ".config/GIMP/3.2"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ".var/app/org.gimp.GIMP/config/GIMP/3.0").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIMP3_DIRECTORY", raising=False)
    monkeypatch.setenv("MATTEBOX_ENGINE", str(tmp_path / "engine"))
    return tmp_path


def sentences(folder: Path) -> str:
    """All that the doctor finds wrong in a profile."""
    return " ".join(finding.sentence for finding in examine(profile_at(folder)) if not finding.good)


def test_every_profile_of_gimp_3_is_found(home: Path) -> None:
    """3.0 and 3.2, native and Flatpak; not GIMP 2."""
    found = [(profile.version, profile.kind) for profile in find_profiles()]
    assert found == [("3.0", "native"), ("3.2", "native"), ("3.0", "Flatpak")]


def test_install_and_remove_reach_every_profile(home: Path) -> None:
    """The command installs everywhere, says where, and remove leaves the profiles as they were."""
    before = sorted(home.rglob("*"))
    result = CliRunner().invoke(command, ["install"])
    assert result.exit_code == 0, result.output
    assert result.output.count("plug-ins/mattebox") == 3
    assert "Flatpak" in result.output
    for profile in find_profiles():
        program = profile.plugin / "mattebox.py"
        assert os.access(program, os.X_OK)
        put = (path.relative_to(profile.plugin) for path in profile.plugin.rglob("*") if path.is_file())
        assert sorted(path.as_posix() for path in put) == sorted([*files(), "record.json"])
    result = CliRunner().invoke(command, ["remove"])
    assert result.exit_code == 0
    left = [path for path in sorted(home.rglob("*")) if path.name != "plug-ins"]
    assert left == before


def test_installing_again_replaces_the_old_plug_in(home: Path) -> None:
    """Files of the old version are gone; nothing is left beside it."""
    profile = profile_at(home / ".config/GIMP/3.0")
    install(profile, DETAILS)
    (profile.plugin / "old.py").touch()
    install(profile, {**DETAILS, "version": "2"})
    assert json.loads((profile.plugin / "record.json").read_text())["version"] == "2"
    assert not (profile.plugin / "old.py").exists()
    assert [path.name for path in profile.folder.iterdir()] == ["plug-ins"]


def test_what_is_not_ours_is_never_touched(home: Path) -> None:
    """A folder of that name that install did not make stays, with a sentence."""
    profile = profile_at(home / ".config/GIMP/3.0")
    profile.plugin.mkdir(parents=True)
    (profile.plugin / "mine.txt").write_text("mine")
    with pytest.raises(InstallError, match="something else"):
        install(profile, DETAILS)
    with pytest.raises(InstallError, match="stays"):
        remove(profile)
    assert [path.name for path in profile.plugin.iterdir()] == ["mine.txt"]


def test_the_record_names_this_mattebox(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in learns this Python, the weights' folder and the networks."""
    monkeypatch.setenv("MATTEBOX_MODELS", "/weights")
    details = record(home / "engine", [("u2net", "u2net")])
    assert details["environment"]["MATTEBOX_MODELS"] == "/weights"
    assert details["command"][1:] == ["-P", "-m", "mattebox.cli.main", "engine"]
    assert details["networks"] == [["u2net", "u2net"]]


def test_without_a_profile_the_user_hears_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GIMP 3 ever started: status 1 and a sentence."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIMP3_DIRECTORY", raising=False)
    result = CliRunner().invoke(command, ["install"])
    assert result.exit_code == 1
    assert "Start GIMP once" in result.output


def test_the_doctor_tells_each_cause_apart(home: Path) -> None:
    """Not installed, not runnable, another version, a lost mattebox, a path left out, refused by GIMP."""
    folder = home / ".config/GIMP/3.0"
    profile = profile_at(folder)
    assert "not installed" in sentences(folder)
    install(profile, DETAILS)
    assert sentences(folder) == ""
    (profile.plugin / "mattebox.py").chmod(0o644)
    assert "may not be run" in sentences(folder)
    (profile.plugin / "protocol.py").write_text("", encoding="utf-8")
    assert "another version" in sentences(folder)
    install(profile, {**DETAILS, "command": ["/nowhere/python"]})
    assert "/nowhere/python" in sentences(folder)
    install(profile, DETAILS)
    (folder / "gimprc").write_text('(plug-in-path "/elsewhere")\n', encoding="utf-8")
    assert "Folders > Plug-ins" in sentences(folder)
    (folder / "gimprc").write_text('(plug-in-path "${gimp_dir}/plug-ins")\n', encoding="utf-8")
    notes = folder / "pluginrc"
    notes.write_text("", encoding="utf-8")
    os.utime(notes, (2e9, 2e9))
    assert "refused" in sentences(folder)
    notes.write_text('(proc-def "plug-in-mattebox-mask")', encoding="utf-8")
    os.utime(notes, (2e9, 2e9))
    assert sentences(folder) == ""


def test_the_doctor_says_what_flatpak_needs(home: Path) -> None:
    """A sandboxed GIMP reaches an engine that runs, and starts none: the command is told."""
    flatpak = next(profile for profile in find_profiles(home) if profile.kind == "Flatpak")
    install(flatpak, DETAILS)
    assert any("mattebox engine --idle 0" in finding.sentence for finding in examine(flatpak))


def test_the_doctor_asks_the_engine_itself(
    home: Path, host: Host, rendezvous: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers; one of another version, left from before an update, is told with what to do."""
    profile = profile_at(home / ".config/GIMP/3.0")
    install(profile, {**DETAILS, "folder": str(rendezvous)})
    assert examine_engine(profile).good
    monkeypatch.setattr("mattebox.gimp_plugin.connection.package_version", lambda: "0.0.1")
    finding = examine_engine(profile)
    assert not finding.good
    assert "0.0.1" in finding.sentence
    assert "mattebox engine --stop" in finding.sentence


def test_the_doctor_quotes_what_an_engine_said(home: Path, rendezvous: Path) -> None:
    """A Python without mattebox: the sentence, and the last lines of its log."""
    profile = profile_at(home / ".config/GIMP/3.0")
    bare = [sys.executable, "-I", "-S", "-m", "mattebox.cli.main", "engine"]
    install(profile, {**DETAILS, "command": bare, "folder": str(rendezvous)})
    finding = examine_engine(profile)
    assert not finding.good
    assert "No module named" in finding.sentence
    assert "mattebox gimp install" in finding.sentence
    assert str(rendezvous / "engine.log") in finding.sentence


def test_a_socket_path_that_is_too_long_is_found_at_install_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is installed; one byte less works. The engine says the same by itself."""
    room = len(os.fsencode(home)) + len("/" + "/engine.sock")
    limit = 107 if sys.platform == "linux" else 103
    fits, long = home / ("x" * (limit - room)), home / ("x" * (limit - room + 1))
    for folder, status in ((long, 1), (fits, 0)):
        monkeypatch.setenv("MATTEBOX_ENGINE", str(folder))
        result = CliRunner().invoke(command, ["install"])
        assert result.exit_code == status, result.output
        installed = any(profile.plugin.exists() for profile in find_profiles(home))
        assert installed == (status == 0)
        assert ("shorter path" in str(result.exception)) == (status == 1)
        with contextlib.ExitStack() as stack:
            if status:
                stack.enter_context(pytest.raises(HostError, match="shorter path"))
            stack.enter_context(acquire(folder))
            Listener(protocol.address(folder), family=protocol.family()).close()


def test_the_doctor_ends_with_status_1_where_something_is_wrong(home: Path) -> None:
    """Scripts can ask it too."""
    result = CliRunner().invoke(command, ["doctor"])
    assert result.exit_code == 1
    assert "NOT" in result.output
