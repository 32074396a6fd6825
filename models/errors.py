"""The root of every error that a user sees, and the errors of weights."""

from __future__ import annotations

from typing import ClassVar


class MatteboxError(Exception):
    """A failure told in one sentence for the user: what happened, to which file, what to do.

    `can_retry` says whether the same work may succeed later without anybody changing anything;
    the daemon spends attempts only on those. `step` is set by a job: which of its steps failed
    (read, cut, finish, write).
    """

    can_retry: ClassVar[bool] = False
    step: str | None = None


class UnknownNetworkError(MatteboxError):
    """No row of the catalogue has that name."""


class LicenceError(MatteboxError):
    """The licence of the weights asks for a consent that was not given."""


class WeightsError(MatteboxError):
    """Weights are missing, damaged, or could not be fetched from any source."""

    can_retry = True


class SourceError(WeightsError):
    """One source of weights failed; the store goes on to the next."""
