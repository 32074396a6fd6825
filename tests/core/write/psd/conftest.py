"""Fixtures of the PSD writer's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.core.write.psd.samples import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.core.composition import Composition


@pytest.fixture
def composition_of() -> Callable[..., Composition]:
    """Builds compositions."""
    return build
