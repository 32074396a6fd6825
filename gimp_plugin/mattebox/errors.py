"""What ends a run before it changes anything. Standard library only, Python 3.9 and later."""

from __future__ import annotations


class RefusedError(Exception):
    """What cannot be done, in one sentence for the user."""


class EngineError(Exception):
    """What went wrong between plug-in and engine, in one sentence for the user."""
