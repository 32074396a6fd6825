"""From a cutout to the finished picture."""

from __future__ import annotations

from mattebox.core.finish.finish import finish

__all__ = ["finish"]
