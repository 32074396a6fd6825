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
    if what == "allocate":
        import numpy as np

        return float(np.ones(2_000_000_000, np.uint8)[-1])
    if what == "native":
        import cv2
        import numpy as np

        return cv2.resize(np.ones((64, 64), np.uint8), (60_000, 60_000)).shape
    if what == "photo":
        raise PhotoError("a.jpg: this is no photo.")
    if what == "full":
        raise OSError(28, "No space left on device")
    return what
