"""FinishSettings: what happens to a cutout before it is written."""

from __future__ import annotations

from mattebox.core.settings.base import Settings


class FinishSettings(Settings):
    """What happens to a cutout before it is written; nothing by default."""
