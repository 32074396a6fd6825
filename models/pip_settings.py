"""What the user's pip is told about indexes: its configuration files, its environment and its own order."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# A later one wins, as in pip.
_ORDER: Final = ("global", "download", ":env:")
_YES: Final = ("1", "true", "yes", "on", "t", "y")
_SECONDS: Final = 15.0
_PYPI: Final = "https://pypi.org/simple"


@dataclass(frozen=True, slots=True)
class PipSettings:
    """Where pip would look for a package, and how it would reach that."""

    indexes: tuple[str, ...] = (_PYPI,)
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    timeout: float = _SECONDS


def pip_settings() -> PipSettings:
    """What `pip config list` says on this computer. Raises OSError where pip cannot be started."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    return parse(done.stdout.splitlines())


def parse(lines: Iterable[str]) -> PipSettings:
    """The settings in lines such as global.index-url='https://...'; what is not understood is passed over."""
    found: dict[str, dict[str, str]] = {section: {} for section in _ORDER}
    for line in lines:
        key, equals, text = line.partition("=")
        section, _, name = key.rpartition(".")
        if not equals or section not in found:
            continue
        try:
            found[section][name.removeprefix("default-")] = str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            continue
    known = {name: value for section in _ORDER for name, value in found[section].items()}
    indexes = (known.get("index-url", _PYPI), *known.get("extra-index-url", "").split())
    if known.get("no-index", "").lower() in _YES:
        indexes = ()
    return PipSettings(
        indexes=indexes,
        find_links=tuple(known.get("find-links", "").split()),
        trusted_hosts=tuple(known.get("trusted-host", "").split()),
        cert=known.get("cert"),
        client_cert=known.get("client-cert"),
        proxy=known.get("proxy"),
        timeout=_seconds(known.get("timeout")),
    )


def _seconds(text: str | None) -> float:
    try:
        return float(text) if text else _SECONDS
    except ValueError:
        return _SECONDS
