"""Failures of what is served over HTTP: one sentence each."""

from __future__ import annotations

from mattebox.core.errors import MatteboxError


class ServerError(MatteboxError):
    """The server cannot begin: its address, its TLS files or its policy do not allow it."""
