"""The first rule that matches takes the file, and every condition says why it does not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mattebox.core.photo import PhotoFacts
from mattebox.daemon.config.facts import Facts, UnreadableError
from mattebox.daemon.config.keys import Folder, When
from mattebox.daemon.config.rules import choose_rule, why_not

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="5">
 <dc:subject><rdf:Bag><rdf:li>shoes</rdf:li><rdf:li>packshot</rdf:li></rdf:Bag></dc:subject>
 </rdf:Description></rdf:RDF></x:xmpmeta>"""
HEADER = PhotoFacts(
    "jpeg",
    3000,
    2000,
    "rgb",
    8,
    has_alpha=False,
    has_icc=True,
    xmp=XMP,
    exif={"Model": "Canon EOS R5", "ISOSpeedRatings": 100},
)
FACTS = Facts("packshots/red/IMG_1.JPG", 5_000_000, 3600.0, HEADER)

CASES = [
    ({"extension": ["jpg", "png"]}, {"extension": "png"}),
    ({"path": "packshots/**"}, {"path": "packshots/*"}),
    ({"path": "**/*.jpg"}, {"path": "other/**"}),
    ({"path": "packshots/*/img_?.jpg"}, {"path": "packshots/**/deep/*"}),
    ({"name": "IMG_*"}, {"name": ["DSC*", "P1*"]}),
    ({"name_regex": r"_\d+\."}, {"name_regex": r"^\d"}),
    ({"min_size": "5MB"}, {"max_size": "4.9 MB"}),
    ({"min_width": 3000}, {"max_width": 2999}),
    ({"max_height": 2000}, {"min_height": 2001}),
    ({"min_megapixels": 6}, {"max_megapixels": 5.9}),
    ({"orientation": "landscape"}, {"orientation": ["portrait", "square"]}),
    ({"colour": ["gray", "rgb"]}, {"colour": "cmyk"}),
    ({"bits": 8}, {"bits": 16}),
    ({"has_alpha": False}, {"has_alpha": True}),
    ({"has_profile": True}, {"has_profile": False}),
    ({"exif": {"Model": "Canon*", "ISOSpeedRatings": 100}}, {"exif": {"Model": "Nikon*"}}),
    ({"exif": {"model": "*r5"}}, {"exif": {"LensModel": "*"}}),
    ({"xmp": {"xmp:Rating": "[45]"}}, {"xmp": {"Rating": "[123]"}}),
    ({"xmp": {"dc:subject": "packshot"}}, {"xmp": {"dc:title": "*"}}),
    ({"min_age": "1h"}, {"max_age": "59m"}),
    ({"any": [{"bits": 16}, {"bits": 8}]}, {"any": [{"bits": 16}, {"colour": "gray"}]}),
    ({"all": [{"bits": 8}, {"colour": "rgb"}]}, {"all": [{"bits": 8}, {"colour": "gray"}]}),
    ({"not": {"extension": "png"}}, {"not": {"extension": "jpg"}}),
]


@pytest.mark.parametrize(("holds", "fails"), CASES)
def test_a_condition_holds_or_says_why_not(holds: dict[str, Any], fails: dict[str, Any]) -> None:
    """None where it holds, words where it does not."""
    assert why_not(When.model_validate(holds), FACTS) is None
    answer = why_not(When.model_validate(fails), FACTS)
    assert answer is not None
    assert len(answer) > 10


def test_each_registered_condition_has_a_case() -> None:
    """The table above asks every condition that there is."""
    from mattebox.daemon.config.conditions import REGISTRY

    assert {name for pair in CASES for when in pair for name in when} >= set(REGISTRY)


@pytest.mark.parametrize("when", [{"bits": 8}, {"not": {"bits": 8}}, {"any": [{"min_width": 1}]}])
def test_a_header_that_cannot_be_read_is_not_guessed(when: dict[str, Any]) -> None:
    """A condition on the header neither holds nor fails without one, not even inside `not`."""
    blind = replace(FACTS, header=None, problem="it is no photo")
    with pytest.raises(UnreadableError, match="it is no photo"):
        why_not(When.model_validate(when), blind)


def folder(*whens: dict[str, Any]) -> Folder:
    """A folder with a rule for each `when`."""
    deliver = [{"format": "png", "to": "out/{stem}.png"}]
    rules = [{"when": when, "deliver": deliver} for when in whens]
    return Folder.model_validate({"name": "studio", "watch": "in", "rules": rules})


def test_the_first_rule_that_matches_takes_the_file() -> None:
    """The verdicts tell why the earlier ones did not; later ones are not asked."""
    choice = choose_rule(folder({"bits": 16}, {"colour": "gray"}, {"bits": 8}, {}), FACTS)
    assert choice.index == 2
    assert [verdict.rule for verdict in choice.verdicts] == ["rule-1", "rule-2", "rule-3"]
    assert [verdict.why_not is None for verdict in choice.verdicts] == [False, False, True]


@pytest.mark.parametrize(
    ("path", "when", "taken"),
    [
        ("notes.txt", {}, False),
        ("photo", {}, False),
        ("photo.HEIC", {}, True),
        ("scan.xyz", {"extension": "xyz"}, True),
        ("photo", {"name": "photo"}, True),
        ("notes.txt", {"any": [{"name": "*.txt"}]}, True),
    ],
)
def test_a_rule_takes_photos_unless_it_names_other_files(
    path: str, when: dict[str, Any], taken: bool
) -> None:
    """What lies beside photos is left alone, unless a rule names it."""
    assert (choose_rule(folder(when), replace(FACTS, path=path)).index == 0) is taken


def test_hostile_xmp_has_no_properties() -> None:
    """Entities, broken XML and floods are not parsed."""
    from mattebox.daemon.config.conditions.xmp import properties

    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert properties(bomb) == {}
    assert properties(b"<x") == {}
    assert properties(None) == {}
    assert properties(b" " * 5_000_000) == {}


@pytest.mark.slow
def test_an_expression_that_would_never_end_is_a_sentence() -> None:
    """Repeats within repeats are given up, and after a few files not tried any more."""
    when = When.model_validate({"name_regex": r"(a|aa)+$"})
    for number in range(50):
        assert "takes too long" in str(why_not(when, Facts(f"{'a' * 200}{number}.jpg", 1, 1.0)))
