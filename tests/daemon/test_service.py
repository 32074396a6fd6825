"""The service files are what systemd, launchd and the Task Scheduler read."""

from __future__ import annotations

import json
import os
import plistlib
import socket
import subprocess
import tempfile
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mattebox.daemon.report.sdnotify import sd_notify
from mattebox.daemon.service import ServiceError, remove, service_for

CONFIG = Path('/srv/50% off/it\'s "here"/rules.yaml')


def test_the_systemd_unit_is_hardened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It may write to the configuration's own folders alone, and is watched for signs of life."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    service = service_for(CONFIG, [Path("/srv/in"), Path("/srv/50% off/out")], "linux")
    text = service.text.decode()
    lines = text.splitlines()
    for line in (
        "Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "MemoryMax=80%",
        "WatchdogSec=120", 'ReadWritePaths="-/srv/in" "-/srv/50%% off/out"', "WantedBy=default.target",
    ):  # fmt: skip
        assert line in lines
    assert '"/srv/50%% off/it\'s \\"here\\"/rules.yaml"' in text
    assert service.file.parent == tmp_path / "systemd" / "user"
    assert service.start[-1] == ("systemctl", "--user", "enable", "--now", service.file.name)


def analysed(tmp_path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says; it asks for a runtime folder though nothing runs."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_systemd_finds_no_mistake_in_the_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """systemd-analyze verify has nothing to say about the unit, and much about one with a wrong key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    service = service_for(CONFIG, [tmp_path, Path("/srv/50% off/out")], "linux")
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.text)
    verify = ("verify", "--user", "--recursive-errors=no", "--man=no")
    done = analysed(tmp_path, *verify, service.file)
    assert (done.returncode, done.stderr) == (0, "")
    service.file.write_bytes(service.text.replace(b"NoNewPrivileges", b"NoNewPrivilege"))
    assert "Unknown key" in analysed(tmp_path, *verify, service.file).stderr


@pytest.mark.slow
@given(
    name=st.text(
        st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=20
    )
)
@settings(max_examples=25, deadline=None, derandomize=True)
@example(name="$models")
@example(name="a\nExecStartPre=/bin/false\n[Service]\nUser=root")
@example(name="back\\slash 'and' \"quotes\" 50%")
def test_any_path_is_one_word_of_the_unit(name: str) -> None:
    """Whatever a folder is called, systemd finds no mistake and the unit has its own lines alone."""
    config = Path("/srv") / name / "rules.yaml"
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"XDG_CONFIG_HOME": folder, "MATTEBOX_MODELS": f"/m/{name}"}),
    ):
        service = service_for(config, [config.parent], "linux")
        service.file.parent.mkdir(parents=True)
        service.file.write_bytes(service.text)
        done = analysed(Path(folder), "verify", "--user", "--recursive-errors=no", "--man=no", service.file)
    assert (done.returncode, done.stderr) == (0, "")
    plain = service_for(Path("/srv/x/rules.yaml"), [Path("/srv/x")], "linux")
    heads = [line.partition("=")[0] for line in service.text.decode("utf-8", "surrogateescape").splitlines()]
    assert set(heads) - {"Environment"} == {
        line.partition("=")[0] for line in plain.text.decode().splitlines()
    }


def test_a_dollar_sign_is_doubled_on_the_exec_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment= and paths take it as it is (systemd.exec(5)), Exec lines expand it (systemd.service)."""
    monkeypatch.setenv("MATTEBOX_MODELS", "/data/$models")
    text = service_for(Path("/srv/$a/rules.yaml"), [Path("/srv/$a")], "linux").text.decode()
    assert 'Environment="MATTEBOX_MODELS=/data/$models"' in text
    assert 'ReadWritePaths="-/srv/$a"' in text
    assert '"/srv/$$a/rules.yaml"' in text


def test_a_stray_module_of_the_working_folder_is_never_run(tmp_path: Path) -> None:
    """The command of every service starts with a yaml.py beside it, and does not run that."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    agent = plistlib.loads(service_for(CONFIG, [], "darwin").text)
    command = [*agent["ProgramArguments"][:-2], "check", str(tmp_path / "none.yaml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "shadowed" not in done.stderr
    assert done.returncode == 2


@pytest.mark.slow
def test_systemd_sees_the_hardening(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """systemd-analyze security counts each of these as set."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    service = service_for(CONFIG, [tmp_path], "linux")
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.text)
    done = analysed(
        tmp_path, "security", "--user", "--offline=true", "--no-pager", "--json=short", service.file
    )
    assert done.returncode == 0, done.stderr
    found = {item["name"]: item["set"] for item in json.loads(done.stdout) if item["set"] is not None}
    for name in (
        "NoNewPrivileges=", "PrivateTmp=", "ProtectSystem=", "RestrictSUIDSGID=", "LockPersonality=",
        "RestrictRealtime=", "SystemCallArchitectures=", "RestrictNamespaces=~user", "NotifyAccess=",
        "RestrictAddressFamilies=~AF_PACKET",
    ):  # fmt: skip
        assert found[name] is True, name


def test_launchd_and_the_task_scheduler_get_well_formed_files() -> None:
    """A property list and an XML with the command in it."""
    agent = plistlib.loads(service_for(CONFIG, [], "darwin").text)
    assert agent["ProgramArguments"][-2:] == ["watch", str(CONFIG)]
    assert agent["RunAtLoad"] is True
    task = service_for(CONFIG, [], "win32").text.decode("utf-16")
    root = ET.fromstring(task.partition("?>")[2])  # noqa: S314 - we wrote it
    arguments = root.find(".//{*}Arguments")
    assert arguments is not None
    assert "watch" in str(arguments.text)


def test_an_unknown_platform_is_told() -> None:
    """One sentence, no file."""
    with pytest.raises(ServiceError, match="no service manager is known"):
        service_for(CONFIG, [], "plan9")


def test_removing_what_is_not_there_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command is run without a file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert remove(service_for(CONFIG, [], "linux")) is False


def test_the_manager_hears_signs_of_life(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What sd_notify(3) would send arrives at the socket; without a socket nothing happens."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    sd_notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        sd_notify("READY=1")
        assert manager.recv(100) == b"READY=1"
