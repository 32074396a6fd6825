"""Readiness: workers that cannot be had are told of once and waited for, but by `once` not for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.errors import MatteboxError

if TYPE_CHECKING:
    from mattebox.daemon.guard import Guards
    from mattebox.daemon.work.workers import Pool

_NO_WORKERS: Final = "the workers cannot be started"
# The waits between them come to half a minute.
_REFUSALS: Final = 6


class WorkersError(MatteboxError):
    """There are no workers, and `once` does not wait for them."""


def get_ready(pool: Pool, guards: Guards, *, wait: bool) -> None:
    """Have the workers get ready for work. wait: for as long as it takes; else WorkersError in the end."""
    if not guards.run(_NO_WORKERS, pool.start) and not wait:
        boundary = guards.of(_NO_WORKERS)
        if boundary.refusals >= _REFUSALS:
            raise WorkersError(boundary.held)
