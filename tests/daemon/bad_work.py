"""Work that goes wrong in every way in which a process can."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from mattebox.core.errors import PhotoError


def act(what: str) -> Any:
    """Do what the word says."""
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "hang":
        time.sleep(600)
    if what == "memory":
        raise MemoryError
    if what == "photo":
        raise PhotoError("a.jpg: this is no photo.")
    if what == "full":
        raise OSError(28, "No space left on device")
    return what
