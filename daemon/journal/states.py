"""The states of a job, and the ways from one to another with their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal[
    "claiming",
    "claimed",
    "working",
    "staged",
    "delivered",
    "reviewing",
    "review",
    "duplicating",
    "failing",
    "returning",
    "recalling",
    "done",
    "duplicate",
    "failed",
    "returned",
]
STATES: Final[frozenset[str]] = frozenset(get_args(State))
# In which nothing is left to do.
ENDED: Final[tuple[State, ...]] = ("done", "failed", "returned", "duplicate")
# In which a file becomes a job: one that is moved, and one that stays in its place.
FIRST: Final[Mapping[State, str]] = {"claiming": "a file is taken", "claimed": "it stays in its place"}
# tests/daemon/ compares these with what the daemon does, and with docs/architecture.md.
TRANSITIONS: Final[Mapping[State, Mapping[State, str]]] = {
    "claiming": {"claimed": "the original is in the working folder"},
    "claimed": {
        "working": "an attempt is counted and begins",
        "duplicating": "the same content was done before",
        "failing": "it is no photo, or no attempt is left",
        "returning": "a disk refuses and `once` does not wait",
        "returned": "somebody took the original away",
    },
    "working": {
        "staged": "the outputs are staged, synced and hashed",
        "reviewing": "the review's PSD and preview are staged",
        "claimed": "it was cut short, may be tried again, or a person shall look",
        "review": "the file that a person approved holds no matte",
        "failing": "it cannot be done",
        "returned": "somebody took the original away",
    },
    "staged": {"delivered": "each output has its final name", "claimed": "staged files were lost"},
    "delivered": {"done": "the original is in done/"},
    "reviewing": {"review": "PSD and preview have their final names", "claimed": "staged files were lost"},
    "review": {"claimed": "a person approved, or asked for it again", "failing": "a person rejected"},
    "duplicating": {"duplicate": "the original is in done/"},
    "failing": {"failed": "the original is in failed/, with its reason"},
    "failed": {"returning": "`mattebox retry`, or the original changed after it was claimed"},
    "returning": {"returned": "the original is in the watched folder, and counts as new"},
    "recalling": {"claimed": "the original is in the working folder again"},
    "done": {
        "returning": "the original changed after it was claimed",
        "recalling": "a person took it back",
    },
    "duplicate": {},
    "returned": {},
}
