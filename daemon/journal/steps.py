"""Step boundaries: the moments at which the machine may stop and nothing may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def step(name: str) -> None:
    """Mark a boundary between two effects on the disk; without a listener this does nothing."""
    if _listener is not None:
        _listener(name)


def listen(listener: Callable[[str], None] | None) -> None:
    """Tell `listener` the name of each boundary as it is reached; None ends that.

    tests/crash/ kills the process in a listener, so the boundaries tested are those of the code.
    """
    global _listener  # noqa: PLW0603 - one process has one order of effects
    _listener = listener
