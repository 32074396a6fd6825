"""Warnings: what to look at before a matte is used, each with its measure and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.core.report.features import Features

# Rates by bench/degraded.py, quality balanced: the share of photos on which each warning is raised.
#     warning                    clean: 20, 117   copies that it is meant for
#     low_contrast                  0 %,  0 %     65 % of four stops under, 75 % of little contrast
#     that or similar_colours       0 %,  1 %     90 % and 90 %
#     motion_blur                   0 %,  -       85 % out of focus, 70 % shaken (no subject in 15 % and 5 %)
#     over_compressed               0 %,  2 %     100 % of JPEG qualities 10, 20 and 30
# undecided_part: on 6 % of 142 photos whose IoU is at least .9, and on 41 % of 32 where it is less.
# uncertain_area: 1 of 12 and 5 % where the IoU is at least .9, 3 of 8 and 37 % where it is less.
# The thresholds were chosen on the 117 photos of bench/calibrate.py, whose rows hold no blur, and on dark and
# flat copies of the 20. several_subjects, touches_frame and low_resolution tell facts.
_FRAME: Final = 0.02
_FAINT: Final = 0.08
_SIMILAR: Final = 0.10
_BLURRED: Final = 3.5
_BLOCKS: Final = 0.30
# Of a JPEG whose own table of quantisation is this good blocks are its picture's (a sweep's last bit, a
# woven pattern), unless they are this strong: then it was compressed before.
_FINE_TABLE: Final = 85
_BLOCKS_OF_BEFORE: Final = 1.0
_SMALL: Final = 400
_HAZE: Final = 0.15
_AGREEMENT: Final = 0.8
# So many undecided parts are named in a sentence; the report holds all.
_NAMED: Final = 3


WarningName = Literal[
    "no_subject",
    "several_subjects",
    "touches_frame",
    "low_contrast",
    "similar_colours",
    "motion_blur",
    "over_compressed",
    "low_resolution",
    "undecided_part",
    "encloses_background",
    "uncertain_area",
    "point_not_found",
]
WARNINGS: Final = get_args(WarningName)


@dataclass(frozen=True, slots=True)
class Advice:
    """One warning: its name for rules and reports, and a sentence for the photographer."""

    name: WarningName
    sentence: str


def warn(
    features: Features | None,
    subjects: int,
    longest: int,
    undecided: Sequence[tuple[int, int, int, int]] = (),
    *,
    quality: float | None = None,
    enclosed: Sequence[tuple[int, int, int, int]] = (),
) -> tuple[Advice, ...]:
    """All warnings about a matte.

    subjects: how many it holds. longest: the photo's longer side in pixels. undecided: boxes (left, top,
    right, bottom) in its pixels of parts that may or may not belong to the subject. quality: of a JPEG,
    1..100, by its own table of quantisation. enclosed: such boxes of what may be backdrop that the subject
    encloses.
    """
    if features is None:
        return (
            Advice(
                "no_subject",
                "Nothing stands out from the background (measure: no part of at least one half); "
                "point at the subject with subject: [[x, y]] or a box.",
            ),
        )
    several = features.networks > 1
    # One look of a dozen that went astray is no reason to warn: 17 of 233 photos are warned about by consent,
    # 13 of which are bad, and by agreement 55, of which 25 are.
    shared = features.consent if several else features.agreement
    unsure = max(features.haze / _HAZE, (1 - shared) / (1 - _AGREEMENT))
    checks: tuple[tuple[WarningName, bool, str], ...] = (
        (
            "several_subjects",
            subjects > 1,
            (
                f"{subjects} separate subjects were kept; choose with subject: largest, a box or points, "
                "or with keep: 1."
            ),
        ),
        (
            "touches_frame",
            features.frame >= _FRAME,
            (
                f"The subject touches {features.frame:.0%} of the frame's edge, so it may be cut off; "
                "leave more room around it."
            ),
        ),
        (
            "low_contrast",
            features.contrast < _FAINT,
            (
                f"Subject and background are almost equally bright along the edge (distance "
                f"{features.contrast:.2f}); light the background apart from the subject."
            ),
        ),
        (
            "similar_colours",
            _FAINT <= features.contrast < _SIMILAR,
            (
                f"Subject and background look alike along the edge (distance {features.contrast:.2f}); "
                "check the outline, or use another background."
            ),
        ),
        (
            "motion_blur",
            features.blur > _BLURRED,
            (
                f"The subject's edge is blurred (over {features.blur:.1f} thousandths of the diagonal); "
                "use a shorter exposure or focus on the edge."
            ),
        ),
        (
            "over_compressed",
            features.blocks > (_BLOCKS if quality is None or quality < _FINE_TABLE else _BLOCKS_OF_BEFORE),
            f"JPEG blocks are visible (strength {features.blocks:.2f}); start from a file of higher quality.",
        ),
        (
            "low_resolution",
            longest < _SMALL,
            f"The photo is only {longest} pixels on its longer side; start from a larger one.",
        ),
        (
            "undecided_part",
            bool(undecided),
            (
                f"It is not certain whether {_parts(undecided)} the subject; check that, or "
                "point at the subject with subject: [[x, y]]."
            ),
        ),
        (
            "encloses_background",
            bool(enclosed),
            (
                f"What the subject encloses at {_places(enclosed)} looks like the backdrop and was kept; "
                "check whether it belongs to the subject."
            ),
        ),
        (
            "uncertain_area",
            unsure >= 1,
            (
                f"The looks agree on {shared:.0%} of the subject, {features.haze:.0%} of it inside is "
                f"unsure; check what belongs to it{'' if several else ', or use quality: best'}."
            ),
        ),
    )
    return tuple(Advice(name, sentence) for name, raised, sentence in checks if raised)


def _parts(boxes: Sequence[tuple[int, int, int, int]]) -> str:
    """Parts as a clause: what lies in which boxes belongs to something."""
    named = [",".join(map(str, box)) for box in boxes[:_NAMED]]
    more = f" and {len(boxes) - _NAMED} more" if len(boxes) > _NAMED else ""
    if len(boxes) == 1:
        return f"the part in the box {named[0]} belongs to"
    return f"the parts in the boxes {'; '.join(named)}{more} belong to"


def _places(boxes: Sequence[tuple[int, int, int, int]]) -> str:
    """The first few boxes in words, and how many more there are."""
    named = "; ".join(",".join(map(str, box)) for box in boxes[:_NAMED])
    return named if len(boxes) <= _NAMED else f"{named} and {len(boxes) - _NAMED} more places"
