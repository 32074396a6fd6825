"""MatteboxError and its children: one clear sentence each, and whether a retry can help."""

from __future__ import annotations

from mattebox.models.errors import LicenceError, MatteboxError, UnknownNetworkError, WeightsError, reason_of

__all__ = [
    "DamagedPhotoError",
    "InferenceError",
    "LicenceError",
    "LimitError",
    "MatteboxError",
    "MissingExtraError",
    "NotEnoughMemoryError",
    "OptimizeError",
    "OutputExistsError",
    "PhotoError",
    "SettingsError",
    "TruncatedPhotoError",
    "UnexpectedError",
    "UnknownNetworkError",
    "WeightsError",
    "WriteError",
    "reason_of",
]


class PhotoError(MatteboxError):
    """A file is no photo that can be read."""


class TruncatedPhotoError(PhotoError):
    """A file begins as a photo and ends too early: damaged, or still being copied."""

    can_retry = True


class DamagedPhotoError(PhotoError):
    """A file begins as a photo and cannot be decoded: damaged, or still being copied."""


class LimitError(PhotoError):
    """A photo is larger than a limit allows; the sentence says which limit and how to raise it."""


class MissingExtraError(PhotoError):
    """A format needs an optional package; the sentence names the command that installs it."""


class SettingsError(MatteboxError):
    """Settings contradict each other or the photo."""


class InferenceError(MatteboxError):
    """A network could not be loaded or run."""

    can_retry = True


class LoadError(InferenceError):
    """A network whose weights are here could not be loaded."""


class OptimizeError(MatteboxError):
    """A network could not be made quicker, or differed too much from its original when it was."""


class WriteError(MatteboxError):
    """An output could not be written: no space, no permission, or a format that cannot hold it."""

    can_retry = True


class OutputExistsError(MatteboxError):
    """A file stands where an output would go, and overwriting was not asked for."""


class NotEnoughMemoryError(MatteboxError):
    """The machine's memory did not suffice for a photo; it may when less runs beside it."""

    can_retry = True


class UnexpectedError(MatteboxError):
    """Something failed in a way that nobody foresaw; the cause is chained, `--debug` shows it."""

    can_retry = True
