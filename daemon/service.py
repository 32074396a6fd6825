"""The daemon as a service of the user's session: systemd, launchd or the Task Scheduler."""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from mattebox.core.errors import MatteboxError, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMORY: Final = "80%"
_WATCHDOG_SECONDS: Final = 120
_ESCAPED: Final = {"%": "%%", "\\": "\\\\", '"': '\\"'}


class ServiceError(MatteboxError):
    """The service manager refused, or there is none."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service's file, its text, and the commands that start and remove it."""

    name: str
    file: Path
    text: bytes
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]


def service_for(config: Path, writable: Sequence[Path], platform: str = sys.platform) -> Service:
    """The service that runs `mattebox watch` for a configuration.

    writable: the folders that the daemon must write to; systemd forbids all others.
    Raises ServiceError on a platform without a known service manager.
    """
    config = config.absolute()
    mark = hashlib.sha256(os.fsencode(config.resolve())).hexdigest()[:6]
    name = f"mattebox-{re.sub(r'[^A-Za-z0-9]+', '-', config.stem).strip('-') or 'config'}-{mark}"
    # -P: without it a stray yaml.py of the working folder, which is the home folder, is what would be run.
    command = [sys.executable, "-P", "-m", "mattebox.cli.main", "watch", os.fspath(config)]
    if platform.startswith("linux"):
        return _systemd(name, command, config, writable)
    if platform == "darwin":
        return _launchd(name, command)
    if platform == "win32":
        return _task(name, command)
    raise ServiceError(
        f"{platform}: no service manager is known here; start 'mattebox watch' by your own means."
    )


def install(service: Service) -> None:
    """Write the service's file and start it. Raises ServiceError."""
    try:
        service.file.parent.mkdir(parents=True, exist_ok=True)
        service.file.write_bytes(service.text)
    except OSError as error:
        raise ServiceError(f"{service.file}: it cannot be written ({error.strerror}).") from error
    for command in service.start:
        _run(command, f"The service is written to {service.file} but could not be started")


def remove(service: Service) -> bool:
    """Stop the service and delete its file; whether there was one."""
    there = service.file.exists()
    if there:
        for command in service.stop:
            try:
                _run(command, "stop")
            except ServiceError:
                continue  # it may not be running, or there is no session to ask
        service.file.unlink(missing_ok=True)
    return there


def _run(command: Sequence[str], failure: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceError(f"{failure}: {' '.join(command)} ({reason_of(error)}).") from error
    if done.returncode:
        raise ServiceError(
            f"{failure}: {' '.join(command)} ended with status {done.returncode}; run it yourself to see why."
        )


def _systemd(name: str, command: Sequence[str], config: Path, writable: Sequence[Path]) -> Service:
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    # A path that is missing is no error for systemd with the leading minus.
    paths = " ".join(_quoted(f"-{path}") for path in writable)
    kept = ("MATTEBOX_MODELS", "MATTEBOX_OFFLINE", "PYTHONPATH")
    environment = "".join(
        f"Environment={_quoted(f'{key}={os.environ[key]}')}\n" for key in kept if key in os.environ
    )
    text = f"""\
[Unit]
Description=Mattebox hot folders ({_described(config)})

[Service]
Type=notify
NotifyAccess=main
ExecStart={" ".join(_quoted(part).replace("$", "$$") for part in command)}
{environment}Restart=on-failure
RestartSec=5
WatchdogSec={_WATCHDOG_SECONDS}
TimeoutStopSec=60
KillMode=mixed
Nice=10
MemoryMax={_MEMORY}
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths={paths}
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
LockPersonality=yes
UMask=0022

[Install]
WantedBy=default.target
"""
    control = ("systemctl", "--user")
    unit = f"{name}.service"
    return Service(
        name,
        base / "systemd" / "user" / unit,
        text.encode("utf-8", "surrogateescape"),
        ((*control, "daemon-reload"), (*control, "enable", "--now", unit)),
        ((*control, "disable", "--now", unit),),
    )


def _quoted(text: str) -> str:
    """A word in double quotes: systemd.syntax(7), "Quoting"; only Exec lines expand a dollar sign besides."""
    return '"' + "".join(_ESCAPED.get(sign) or _byte(sign) for sign in text) + '"'


def _byte(sign: str) -> str:
    return sign if sign >= " " and sign != "\x7f" else f"\\x{ord(sign):02x}"


def _described(config: Path) -> str:
    """A path for a line that people read: control characters would begin another line of the unit."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in os.fspath(config))
    return shown.replace("%", "%%").replace("\\", "\\\\")


def _launchd(name: str, command: Sequence[str]) -> Service:
    label = f"org.mattebox.{name}"
    file = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    logs = Path.home() / "Library" / "Logs" / f"{name}.log"
    text = plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ProcessType": "Background",
            "StandardOutPath": os.fspath(logs),
            "StandardErrorPath": os.fspath(logs),
        }
    )
    load = ("launchctl", "load", "-w", os.fspath(file))
    return Service(name, file, text, (load,), (("launchctl", "unload", "-w", os.fspath(file)),))


def _task(name: str, command: Sequence[str]) -> Service:
    base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    file = base / "mattebox" / f"{name}.xml"
    arguments = escape(subprocess.list2cmdline(command[1:]))
    text = f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><LogonType>InteractiveToken</LogonType></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions><Exec><Command>{escape(command[0])}</Command><Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
"""
    create = ("schtasks", "/Create", "/F", "/TN", name, "/XML", os.fspath(file))
    run = ("schtasks", "/Run", "/TN", name)
    return Service(
        name, file, text.encode("utf-16"), (create, run), (("schtasks", "/Delete", "/F", "/TN", name),)
    )
