"""Durations and sizes as texts."""

from __future__ import annotations

import pytest

from mattebox.daemon.config.units import parse_bytes, parse_duration, parse_memory


@pytest.mark.parametrize("parse", [parse_duration, parse_bytes, parse_memory])
def test_what_no_number_can_hold_is_a_sentence(parse: object) -> None:
    """A quantity of four hundred digits is wrong as any other text is."""
    assert callable(parse)
    with pytest.raises(ValueError, match="write "):
        parse("9" * 400)
