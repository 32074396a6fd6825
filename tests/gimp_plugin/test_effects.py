"""Which of the dialog's choices are gray: those that change nothing beside the others."""

from __future__ import annotations

import pytest

from mattebox.gimp_plugin.mattebox.effects import has_effect

USUAL = {"result": "mask", "and-selection": False, "rule-file": None, "model": "u2net"}


@pytest.mark.parametrize(
    ("name", "change", "effect"),
    [
        ("existing", {}, True),
        ("existing", {"result": "selection"}, True),
        ("existing", {"result": "layer"}, False),
        ("existing", {"result": "channel"}, False),
        ("existing", {"result": "layer", "and-selection": True}, True),
        ("and-selection", {}, True),
        ("and-selection", {"result": "selection"}, False),
        ("and-channel", {"result": "selection"}, True),
        ("and-channel", {"result": "channel"}, False),
        ("on-copy", {}, True),
        ("on-copy", {"result": "layer"}, False),
        ("rule", {}, False),
        ("rule", {"rule-file": "a.yaml"}, True),
        ("model", {"rule-file": "a.yaml"}, False),
        ("quality", {"rule-file": "a.yaml"}, False),
        ("refine", {"rule-file": "a.yaml"}, False),
        ("model", {}, True),
        ("accept-licence", {}, False),
        ("accept-licence", {"model": "bria-rmbg"}, True),
        ("accept-licence", {"model": "bria-rmbg", "rule-file": "a.yaml"}, False),
        ("result", {"rule-file": "a.yaml"}, True),
    ],
)
def test_a_choice_is_gray_where_it_changes_nothing(
    name: str, change: dict[str, str | bool], effect: bool
) -> None:
    """The dialog grays by this one answer."""
    values = {**USUAL, **change}
    assert has_effect(name, values.__getitem__, {"bria-rmbg"}) is effect
