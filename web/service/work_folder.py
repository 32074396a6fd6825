"""The folder of one server's uploads and outputs: gone with the server, also after it was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from mattebox.core.errors import reason_of
from mattebox.web.errors import ServerError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_PREFIX: Final = "mattebox-serve-"
_LOCK: Final = "lock"


class WorkFolder:
    """A private folder below the temporary one; folders of dead servers of this user are removed."""

    def __init__(self, base: Path | None = None) -> None:
        """base: where it is made; default: the platform's temporary folder. Raises ServerError."""
        base = base or Path(tempfile.gettempdir())
        _sweep(base)
        try:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            self._lock = FileLock(self.path / _LOCK)
            self._lock.acquire(timeout=0)
        except (OSError, Timeout) as error:
            raise ServerError(f"{base}: no folder can be made for uploads ({reason_of(error)}).") from error

    def request_folder(self) -> Path:
        """A new folder for one request. Raises OSError."""
        return Path(tempfile.mkdtemp(prefix="", dir=self.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it with all that is in it."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove the folders whose server no longer holds its lock; others' are left."""
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
                continue
            lock = FileLock(folder / _LOCK)
            lock.acquire(timeout=0)
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)
