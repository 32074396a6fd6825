#!/usr/bin/env python3
"""Mattebox's plug-in for GIMP 3: a layer mask in one step, made by the engine host outside of GIMP.

Standard library and gi alone, Python 3.9 and later: GIMP's own Python has nothing else.
"""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.apply import apply
    from mattebox.gimp_plugin.mattebox.client import SILENT, Answer, Engine, Payload, Record
    from mattebox.gimp_plugin.mattebox.errors import EngineError, RefusedError
    from mattebox.gimp_plugin.mattebox.options import Options
    from mattebox.gimp_plugin.mattebox.pixels import LayerView, limit_tile_cache
    from mattebox.gimp_plugin.mattebox.point import add_point_arguments, run_point
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest
    from mattebox.gimp_plugin.mattebox.unchanged import require_unchanged
else:
    from apply import apply
    from client import SILENT, Engine, Record
    from errors import EngineError, RefusedError
    from options import Options
    from pixels import LayerView, limit_tile_cache
    from point import add_point_arguments, run_point
    from unchanged import require_unchanged

MASK = "plug-in-mattebox-mask"
REFINE = "plug-in-mattebox-refine"
AGAIN = "plug-in-mattebox-again"
POINT = "plug-in-mattebox-point"
TITLES = {
    MASK: ("Mask the Sub_ject...", "Find the subject and mask everything around it"),
    REFINE: ("_Refine Mask Edges...", "Make the edges of a mask, or of a selection, follow the picture"),
    POINT: ("Mask by _Clicking...", "Click what is the subject and what is not, and see the mask at once"),
    AGAIN: ("Mask the Subject (_again)", "Mask the subject with the settings of the last time"),
}
RESULTS = (
    ("mask", "Layer mask"),
    ("selection", "Selection"),
    ("channel", "Channel"),
    ("layer", "New layer with clean colours"),
)
LOOKS = (("fast", "Quick"), ("balanced", "Balanced"), ("best", "Best, with every network at hand"))
SILENCE = 60.0  # seconds without any news from the engine: sending and reading included
PULSE = 0.1  # seconds from one sign of life in GIMP's progress bar to the next
FLAGS = GObject.ParamFlags.READWRITE


class Mattebox(Gimp.PlugIn):  # type: ignore[misc]  # gi has no types
    """What GIMP asks for procedures."""

    def do_set_i18n(self, _name: str) -> bool:
        """The words are English alone."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The names of all procedures."""
        return list(TITLES)

    def do_create_procedure(self, name: str) -> Any:
        """One procedure with its arguments and its place in the menus."""
        run = {AGAIN: _again, POINT: _point}.get(name, _run)
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
        )
        label, blurb = TITLES[name]
        procedure.set_menu_label(label)
        procedure.add_menu_path("<Image>/Layer/Mask")
        procedure.add_menu_path("<Layers>/Layers Menu")
        # Without a help id the dialog has no Help button: GIMP would look for a page in its own manual.
        procedure.set_documentation(blurb, f"{blurb}. The picture never leaves this computer.", None)
        procedure.set_attribution("The Mattebox founders", "MIT", "2026")
        if name == MASK:
            _add_mask_arguments(procedure)
        elif name == REFINE:
            _add_choice(
                procedure,
                "source",
                "Re_fine",
                (("mask", "The layer's mask"), ("selection", "The selection")),
                "mask",
            )
            _add_choice(procedure, "result", "Resul_t", RESULTS, "mask")
        elif name == POINT:
            _add_choice(procedure, "quality", "_Quality", LOOKS, "balanced")
            _add_choice(procedure, "result", "Resul_t", RESULTS[:-1], "mask")
            add_point_arguments(procedure)
        return procedure


def _add_mask_arguments(procedure: Any) -> None:
    networks = _networks()
    names = [name for name, _ in networks]
    _add_choice(procedure, "model", "_Network", networks, "u2net" if "u2net" in names else names[0])
    _add_choice(procedure, "quality", "_Quality", LOOKS, "balanced")
    edges = (
        ("auto", "Follow the picture"),
        ("hair", "Soft, for hair and fur"),
        ("hard", "Sharp, for products"),
        ("none", "As the network drew them"),
    )
    _add_choice(procedure, "refine", "_Edges", edges, "auto")
    ways = (
        ("replace", "Replace it"),
        ("intersect", "Intersect with it"),
        ("add", "Add to it"),
        ("subtract", "Subtract from it"),
        ("refuse", "Keep it, and do nothing"),
    )
    _add_choice(procedure, "existing", "E_xisting mask", ways, "replace")
    _add_choice(procedure, "result", "Resul_t", RESULTS, "mask")
    inside = "Only _inside the selection", "Look for the subject in the selection's box alone"
    procedure.add_boolean_argument("inside-selection", *inside, False, FLAGS)
    licence = "Accept a licence _without commercial use", "Some networks' weights forbid commercial use"
    procedure.add_boolean_argument("accept-licence", *licence, False, FLAGS)
    file = "Apply r_ule of", "A hot-folder YAML: one of its rules replaces network and edges"
    procedure.add_file_argument("rule-file", *file, Gimp.FileChooserAction.OPEN, True, None, FLAGS)
    procedure.add_string_argument("rule", "Rule's na_me", "May be empty where there is one rule", "", FLAGS)


def _add_choice(procedure: Any, name: str, label: str, rows: Any, default: str) -> None:
    choice = Gimp.Choice.new()
    for number, (nick, text) in enumerate(rows):
        choice.add(nick, number, text, "")
    procedure.add_choice_argument(name, label, label.replace("_", ""), choice, default, FLAGS)


def _networks() -> list[list[str]]:
    """Names and labels. A damaged record is told when the procedure runs: GIMP cannot show it here."""
    try:
        return _record().networks
    except EngineError:
        return [["u2net", "u2net"]]


def _record() -> Record:
    return Record.read(Path(__file__).resolve().parent / "record.json")


def _run(procedure: Any, run_mode: Any, image: Any, drawables: list[Any], config: Any, _data: Any) -> Any:
    if run_mode == Gimp.RunMode.INTERACTIVE and not _ask(procedure, config):
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    limit_tile_cache()
    is_refine = procedure.get_name() == REFINE
    try:
        options = Options.of_refine(config) if is_refine else Options.of_mask(config)
        wanted = options.with_selection
        views = [LayerView.of(layer, image, with_selection=wanted) for layer in _layers(drawables)]
        options.check(views)
        answers = _EngineRun(options, views).done()
        remarks = apply(options, image, list(zip(views, answers)))
    except (EngineError, RefusedError) as error:
        return _failure(procedure, str(error))
    except MemoryError:
        return _failure(
            procedure, "There is not enough memory for a layer of this size; nothing was changed."
        )
    for remark in remarks:
        Gimp.message(remark)
    Gimp.displays_flush()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _point(procedure: Any, run_mode: Any, image: Any, drawables: list[Any], config: Any, _data: Any) -> Any:
    limit_tile_cache()
    try:
        interactive = run_mode == Gimp.RunMode.INTERACTIVE
        if not run_point(_record(), config, image, _layers(drawables), interactive):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except (EngineError, RefusedError) as error:
        return _failure(procedure, str(error))
    except MemoryError:
        return _failure(
            procedure, "There is not enough memory for a layer of this size; nothing was changed."
        )
    Gimp.displays_flush()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _again(procedure: Any, _mode: Any, image: Any, drawables: list[Any], _config: Any, _data: Any) -> Any:
    mask = Gimp.get_pdb().lookup_procedure(MASK)
    config = mask.create_config()
    config.set_property("run-mode", Gimp.RunMode.WITH_LAST_VALS)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    result = mask.run(config)
    if result.index(0) == Gimp.PDBStatusType.SUCCESS:
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    return _failure(procedure, Gimp.get_pdb().get_last_error())


def _failure(procedure: Any, sentence: str) -> Any:
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), sentence, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _ask(procedure: Any, config: Any) -> bool:
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi  # noqa: PLC0415 - only where there is a window

    GimpUi.init("mattebox")
    title = procedure.get_menu_label().replace("_", "").rstrip(".")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.fill(None)
    agreed = bool(dialog.run())
    dialog.destroy()
    return agreed


def _layers(drawables: list[Any]) -> list[Any]:
    """The layers that are meant: a mask stands for its layer. Raises RefusedError."""
    layers: list[Any] = []
    for drawable in drawables:
        layer = Gimp.Layer.from_mask(drawable) if drawable.is_layer_mask() else drawable
        if not layer.is_layer():
            raise RefusedError("Select a layer: a channel shows no subject.")
        if layer.is_floating_sel():
            raise RefusedError("Anchor the floating selection first, or make it a layer of its own.")
        if layer not in layers:
            layers.append(layer)
    if not layers:
        raise RefusedError("Select a layer first.")
    return layers


class _EngineRun:
    """The connection to the engine in a thread of its own, so that GIMP's window stays alive meanwhile."""

    def __init__(self, options: Options, views: list[LayerView]) -> None:
        self._options, self._views = options, views
        self._answers: list[Answer] = []
        self._failure: BaseException | None = None
        self._text, self._news, self._name = "", time.monotonic(), ""

    def done(self) -> list[Answer]:
        """One answer a layer. Raises EngineError, RefusedError or MemoryError; the image is as it was."""
        Gimp.progress_init("Mattebox")
        engine: list[Engine] = []
        self._wait(lambda: engine.append(Engine(_record(), self._on_progress)))
        try:
            for view in self._views:
                # Those after the first one waited for it.
                require_unchanged(view.layer, view.image, view.state)
                self._name = f"{view.layer.get_name()}: " if len(self._views) > 1 else ""
                # GIMP is asked from this thread alone; the other one has bytes only.
                with view.opened() as opened:
                    request, blobs = self._options.request(opened)
                    payload = engine[0].pack(request, blobs)
                self._wait(partial(self._cut, engine[0], request, payload))
        finally:
            engine[0].close()
            Gimp.progress_end()
        return self._answers

    def _cut(self, engine: Engine, request: CutRequest, payload: Payload) -> None:
        self._answers.append(engine.cut(request, payload))

    def _on_progress(self, text: str) -> None:
        self._text, self._news = self._name + text, time.monotonic()

    def _wait(self, work: Any) -> None:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
                self._failure = error

        self._news = time.monotonic()
        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        context, shown, pulse = GLib.MainContext.default(), "", 0.0
        while thread.is_alive():
            while context.pending():
                context.iteration(False)
            if self._text != shown:
                shown = self._text
                Gimp.progress_set_text(shown)
            if time.monotonic() > pulse:
                pulse = time.monotonic() + PULSE
                Gimp.progress_pulse()
            if time.monotonic() - self._news > SILENCE:
                raise EngineError(SILENT)
            thread.join(0.01)
        if self._failure is not None:
            raise self._failure


if __name__ == "__main__":
    Gimp.main(Mattebox.__gtype__, sys.argv)
