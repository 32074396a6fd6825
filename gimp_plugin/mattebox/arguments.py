"""The procedures' arguments: their names for scripts, and their labels and tooltips for the dialogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gi.repository import Gimp, GObject

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.networks import USUAL, NetworkFacts
    from mattebox.gimp_plugin.mattebox.protocol import EDGES as EDGE_NUMBERS
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from networks import USUAL
    from protocol import EDGES as EDGE_NUMBERS
    from words import _

RESULTS = (
    ("mask", _("Layer mask")),
    ("selection", _("Selection")),
    ("channel", _("Channel")),
    ("layer", _("New layer with clean colours")),
)
LOOKS = (
    ("fast", _("Quick")),
    ("balanced", _("Balanced")),
    ("best", _("Best, with every network at hand")),
)
EDGES = (
    ("auto", _("Follow the picture")),
    ("hair", _("Soft, for hair and fur")),
    ("hard", _("Sharp, for products")),
    ("none", _("As they are")),
)
LICENCE = _("Accept a licence _without commercial use")
FLAGS = GObject.ParamFlags.READWRITE


def add_mask_arguments(procedure: Any, networks: list[NetworkFacts]) -> None:
    """The arguments of "Mask the Subject"."""
    rows = [(row.name, row.choice) for row in networks]
    usual = USUAL if USUAL in dict(rows) else rows[0][0]
    blurb = _("What looks for the subject; one that is not here is fetched after a question")
    _add_choice(procedure, "model", _("_Network"), blurb, rows, default=usual)
    _add_quality(procedure)
    _add_choice(procedure, "refine", _("_Edges"), _("How soft the edge of the mask becomes"), EDGES)
    ways = (
        ("replace", _("Replace it")),
        ("intersect", _("Intersect with it")),
        ("add", _("Add to it")),
        ("subtract", _("Subtract from it")),
        ("refuse", _("Keep it, and do nothing")),
    )
    kept = _("What becomes of a mask, or a selection, that is there already")
    _add_choice(procedure, "existing", _("E_xisting mask"), kept, ways)
    _add_result(procedure, RESULTS)
    inside = _("Only _inside the selection"), _("Nothing outside of the selection becomes subject")
    procedure.add_boolean_argument("inside-selection", *inside, False, FLAGS)
    licence = LICENCE, _("Some networks' weights forbid commercial use")
    procedure.add_boolean_argument("accept-licence", *licence, False, FLAGS)
    file = _("Apply r_ule of"), _("A hot-folder YAML: one of its rules replaces network and edges")
    procedure.add_file_argument("rule-file", *file, Gimp.FileChooserAction.OPEN, True, None, FLAGS)
    rule = _("Rule's na_me"), _("May be empty where there is one rule")
    procedure.add_string_argument("rule", *rule, "", FLAGS)
    _add_more_results(procedure)


def _add_result(procedure: Any, results: Any) -> None:
    _add_choice(procedure, "result", _("Resul_t"), _("What the mask becomes"), results)


def _add_more_results(procedure: Any) -> None:
    """Behind all others: scripts may give arguments by their place."""
    switches = {
        "and-selection": (_("An_d select it"), _("The mask becomes a selection too")),
        "and-channel": (_("And keep it as a c_hannel"), _("The mask becomes a channel too")),
        "on-copy": (
            _("On a cop_y of the layer"),
            _("The layer stays as it is, hidden below a copy that has the mask"),
        ),
    }
    for name, (label, blurb) in switches.items():
        procedure.add_boolean_argument(name, label, blurb, False, FLAGS)


def add_refine_arguments(procedure: Any) -> None:
    """The arguments of "Refine Mask Edges"."""
    sources = (("mask", _("The layer's mask")), ("selection", _("The selection")))
    _add_choice(procedure, "source", _("Re_fine"), _("Whose edges are changed"), sources)
    _add_choice(procedure, "refine", _("_Edges"), _("“As they are” leaves them to the numbers"), EDGES)
    _add_edge_arguments(procedure)
    _add_result(procedure, RESULTS)
    _add_more_results(procedure)


def _add_quality(procedure: Any) -> None:
    _add_choice(procedure, "quality", _("_Quality"), _("Better takes longer"), LOOKS, default="balanced")


def _add_choice(procedure: Any, name: str, label: str, blurb: str, rows: Any, *, default: str = "") -> None:
    choice = Gimp.Choice.new()
    for number, (nick, text) in enumerate(rows):
        choice.add(nick, number, text, "")
    procedure.add_choice_argument(name, label, blurb, choice, default or rows[0][0], FLAGS)


def add_point_arguments(procedure: Any) -> None:
    """The arguments of "Mask by Clicking": what a script may say instead of a person's clicks."""
    _add_quality(procedure)
    _add_result(procedure, RESULTS[:-1])
    texts = {
        "inside": (_("Points on the subject"), _("X,Y pairs in pixels of the layer, such as 120,80 300,95")),
        "outside": (_("Points beside it"), _("X,Y pairs in pixels of the layer, such as 120,80 300,95")),
        "box": (_("Box around it"), _("LEFT,TOP,RIGHT,BOTTOM in pixels of the layer")),
    }
    for name, (label, blurb) in texts.items():
        procedure.add_string_argument(name, label, blurb, "", FLAGS)
    switches = {
        "from-selection": (_("The selection's box"), _("The subject lies in the box of the selection")),
        "from-path": (_("The path's anchors"), _("The anchors of the selected paths are on the subject")),
        "from-mask": (_("Go on from the mask"), _("The layer's mask is right where nothing is said")),
    }
    for name, (label, blurb) in switches.items():
        procedure.add_boolean_argument(name, label, blurb, False, FLAGS)
    _add_edge_arguments(procedure)
    _add_more_results(procedure)


def _add_edge_arguments(procedure: Any) -> None:
    labels = {
        "softness": (_("So_ftness (pixels)"), _("Blurs the edge over so many pixels")),
        "shift": (_("S_hift (pixels)"), _("Moves the edge: below 0 into the subject, above 0 away from it")),
        "sharper": (_("Shar_per"), _("Makes the edge steeper; 0 leaves it as it is, 1 is hard")),
    }
    for name, (label, blurb) in labels.items():
        usual, low, high = EDGE_NUMBERS[name]
        procedure.add_double_argument(name, label, blurb, low, high, usual, FLAGS)
    hair = _("_Keep hair"), _("Leaves wide soft parts as they are: hair, fur, feathers")
    procedure.add_boolean_argument("keep-hair", *hair, False, FLAGS)
