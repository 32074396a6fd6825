"""What a person has said of the open photo: clicks, a box, strokes and edge choices, as plain data.

Standard library only, Python 3.9 and later; used at both ends. The messages: "open" is a CutRequest whose
answer "opened" gives the preview's size and its picture; "point" is a PointRequest whose answer "matte" is
the mask at that size, or at the layer's; "shut" lets go of the photo. Undo is a request without its last.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.protocol import ProtocolError, has_sound_edges
else:
    try:
        from protocol import ProtocolError, has_sound_edges
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.protocol import ProtocolError, has_sound_edges

SAYS = ("in", "out", "unsure")
CLICKS = 1000
STROKES = 1000
POINTS = 20_000  # of all strokes together
FAR = 1_000_000.0


@dataclass(frozen=True)
class PointRequest:
    """Prompts in pixels of the layer.

    clicks: [x, y, inside] in their order. box: left, top, right, bottom. strokes: {"say": one of SAYS,
    "size": the brush's diameter, "points": [[x, y], ...]} in their order. edges: numbers of EDGES, and
    "keep_hair". full: the mask is asked for at the layer's size and depth, and not the preview's in 8 bits.
    """

    clicks: list[Any] = field(default_factory=list)
    box: list[float] | None = None
    strokes: list[dict[str, Any]] = field(default_factory=list)
    edges: dict[str, Any] = field(default_factory=dict)
    full: bool = False

    def head(self) -> dict[str, Any]:
        """The request as plain data."""
        return asdict(self)

    @classmethod
    def of(cls, head: dict[str, Any]) -> PointRequest:
        """The request that a message holds. Raises ProtocolError where it makes no sense."""
        known = {item.name for item in fields(cls)}
        unknown = set(head) - known - {"mattebox", "say", "blobs"}
        if unknown or head.get("blobs"):
            raise ProtocolError("a prompt has unknown parts")
        request = cls(**{name: value for name, value in head.items() if name in known})
        request.check()
        return request

    def check(self) -> None:
        """Raise ProtocolError where a value makes no sense."""
        if not isinstance(self.clicks, list) or len(self.clicks) > CLICKS:
            raise ProtocolError("the clicks are no list, or too many")
        for click in self.clicks:
            if not (isinstance(click, list) and len(click) == 3 and type(click[2]) is bool):
                raise ProtocolError("a click is no [x, y, inside]")
            _check_point(click[:2])
        if self.box is not None:
            if not isinstance(self.box, list) or len(self.box) != 4:
                raise ProtocolError("the box is not four numbers")
            _check_point(self.box[:2])
            _check_point(self.box[2:])
            if self.box[0] >= self.box[2] or self.box[1] >= self.box[3]:
                raise ProtocolError("the box is empty")
        if type(self.full) is not bool:
            raise ProtocolError("full is neither true nor false")
        self._check_strokes()
        if not has_sound_edges(self.edges):
            raise ProtocolError("the edge choices are not known")

    def _check_strokes(self) -> None:
        if not isinstance(self.strokes, list) or len(self.strokes) > STROKES:
            raise ProtocolError("the strokes are no list, or too many")
        count = 0
        for stroke in self.strokes:
            if not isinstance(stroke, dict) or set(stroke) != {"say", "size", "points"}:
                raise ProtocolError("a stroke is not complete")
            points = stroke["points"]
            if stroke["say"] not in SAYS or not isinstance(points, list) or not points:
                raise ProtocolError("a stroke says nothing")
            count += len(points)
            if count > POINTS or not is_number(stroke["size"]) or not 0 < stroke["size"] <= FAR:
                raise ProtocolError("a stroke is out of bounds")
            for point in points:
                _check_point(point)


def is_number(value: Any) -> bool:
    """Whether a value is a number of JSON; NaN is none."""
    return type(value) in (int, float) and value == value  # noqa: PLR0124 - NaN alone differs from itself


def _check_point(point: Any) -> None:
    if not isinstance(point, list) or len(point) != 2 or not all(is_number(place) for place in point):
        raise ProtocolError("a point is not two numbers")
    if not all(-FAR <= place <= FAR for place in point):
        raise ProtocolError("a point is out of bounds")
