"""What a decoder's failure means to the user: cut off, damaged, or too large for this machine."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import (
    DamagedPhotoError,
    MatteboxError,
    NotEnoughMemoryError,
    TruncatedPhotoError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CUT_OFF: Final = (
    "truncated",
    "too small",
    "unexpected end",
    "premature end",
    "not enough",
    "end of file",
    "end of stream",
    "no more data",
    "requires a buffer",
)


@contextmanager
def decoding(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into TruncatedPhotoError or DamagedPhotoError with one sentence.

    Too little memory is NotEnoughMemoryError: the photo itself may be good.

    Decoders of hostile files raise about everything: SyntaxError, struct.error, KeyError, ... Their words
    are for the chained cause, which --debug shows; to a user "string index out of range" tells nothing.
    """
    try:
        yield
    except MatteboxError:
        raise
    except MemoryError as error:
        raise NotEnoughMemoryError(
            f"{path}: there is not enough memory to decode the {kind} file; "
            "close other programs or make the photo smaller."
        ) from error
    except Exception as error:
        reason = _reason(error)
        if isinstance(error, (EOFError, struct.error)) or any(word in reason.lower() for word in _CUT_OFF):
            raise TruncatedPhotoError(
                f"{path}: the {kind} file ends too early; it is damaged or still being copied."
            ) from error
        raise DamagedPhotoError(
            f"{path}: the {kind} file is damaged and cannot be decoded; copy it again or export it anew."
        ) from error


def _reason(error: Exception) -> str:
    """What a decoder says, to tell its kind by and never to be shown; attrs puts its sentence first."""
    told = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return " ".join(told.split())[:120].rstrip(".") or type(error).__name__
