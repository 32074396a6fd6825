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


def reason_of(error: BaseException) -> str:  # noqa: PLR0911 - a table of kinds
    """Why something failed, in the operating system's words or ours; what a library says is never shown.

    `--debug` shows a library's own words: errors are chained.
    """
    if isinstance(error, MatteboxError):
        return str(error).rstrip(".")
    inner = getattr(error, "reason", None)
    if isinstance(inner, OSError) and inner is not error and type(error).__module__ != "ssl":
        return reason_of(inner)
    if type(error).__module__ == "ssl":
        return "the secure connection could not be made or its certificate is not right"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError):
        return "there was no answer in time"
    if isinstance(error, ConnectionError):
        return "the connection broke off"
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return "the disk is full"
    return "the reason is not known"
