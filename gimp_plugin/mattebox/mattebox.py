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
from gi.repository import Gimp, GLib  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.apply import apply
    from mattebox.gimp_plugin.mattebox.arguments import (
        LICENCE,
        add_mask_arguments,
        add_point_arguments,
        add_refine_arguments,
    )
    from mattebox.gimp_plugin.mattebox.client import SILENT, Answer, Engine, Payload, Record
    from mattebox.gimp_plugin.mattebox.errors import EngineError, RefusedError
    from mattebox.gimp_plugin.mattebox.messages import not_enough_memory
    from mattebox.gimp_plugin.mattebox.networks import (
        USUAL,
        NetworkFacts,
        facts_of,
        judge_of,
        refused_licence,
    )
    from mattebox.gimp_plugin.mattebox.options import Options
    from mattebox.gimp_plugin.mattebox.pixels import LayerView, limit_tile_cache
    from mattebox.gimp_plugin.mattebox.point import run_point
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest
    from mattebox.gimp_plugin.mattebox.unchanged import require_unchanged
    from mattebox.gimp_plugin.mattebox.words import DOMAIN, _
else:
    from apply import apply
    from arguments import LICENCE, add_mask_arguments, add_point_arguments, add_refine_arguments
    from client import SILENT, Engine, Record
    from errors import EngineError, RefusedError
    from messages import not_enough_memory
    from networks import USUAL, facts_of, judge_of, refused_licence
    from options import Options
    from pixels import LayerView, limit_tile_cache
    from point import run_point
    from unchanged import require_unchanged
    from words import DOMAIN, _

MASK = "plug-in-mattebox-mask"
REFINE = "plug-in-mattebox-refine"
AGAIN = "plug-in-mattebox-again"
POINT = "plug-in-mattebox-point"
TITLES = {
    MASK: (_("Mask the Sub_ject..."), _("Find the subject and mask everything around it")),
    REFINE: (_("_Refine Mask Edges..."), _("Change the edges of a mask, or of a selection")),
    POINT: (_("Mask by _Clicking..."), _("Click what is the subject and what is not, and see the mask")),
    # Its name follows that of the first one in an alphabetical menu.
    AGAIN: (_("Mask the Subject: a_gain"), _("Mask the subject with the settings of the last time")),
}
SILENCE = 60.0  # seconds without any news from the engine: sending and reading included
PULSE = 0.1  # seconds from one sign of life in GIMP's progress bar to the next


class Mattebox(Gimp.PlugIn):  # type: ignore[misc]  # gi has no types
    """What GIMP asks for procedures."""

    def do_set_i18n(self, _name: str) -> tuple[bool, str, None]:
        """GIMP's own mechanism: a gettext domain in the folder locale/ beside this file."""
        return True, DOMAIN, None

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
        procedure.set_documentation(blurb, f"{blurb}. {_('The picture stays on this computer.')}", None)
        procedure.set_attribution("The Mattebox founders", "MIT", "2026")
        if name == MASK:
            add_mask_arguments(procedure, _networks())
        elif name == REFINE:
            add_refine_arguments(procedure)
        elif name == POINT:
            add_point_arguments(procedure)
        return procedure


def _networks() -> list[NetworkFacts]:
    """What there is. A damaged record is told when the procedure runs: GIMP cannot show it here."""
    try:
        record = _record()
    except EngineError:
        return facts_of([[USUAL, USUAL]], {}, "")
    return facts_of(record.networks, record.catalogue, record.models)


def _require_licence(options: Options) -> None:
    """Raise RefusedError where a network's licence asks for consent, naming the dialog's own box."""
    said = refused_licence(_networks(), options.settings, LICENCE.replace("_", ""))
    if said and not options.rule_file:
        raise RefusedError(said)


def _record() -> Record:
    return Record.read(Path(__file__).resolve().parent / "record.json")


def _run(procedure: Any, run_mode: Any, image: Any, drawables: list[Any], config: Any, _data: Any) -> Any:
    try:
        if run_mode == Gimp.RunMode.INTERACTIVE and not _ask(procedure, config, drawables):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except (EngineError, RefusedError) as error:
        return _failure(procedure, str(error))
    limit_tile_cache()
    is_refine = procedure.get_name() == REFINE
    try:
        options = Options.of_refine(config) if is_refine else Options.of_mask(config)
        wanted = options.with_selection
        views = [LayerView.of(layer, image, with_selection=wanted) for layer in _layers(drawables)]
        options.check(views)
        _require_licence(options)
        answers = _EngineRun(options, views).done()
        remarks = apply(options, image, list(zip(views, answers)))
    except (EngineError, RefusedError) as error:
        return _failure(procedure, str(error))
    except MemoryError:
        return _failure(procedure, not_enough_memory())
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
        return _failure(procedure, not_enough_memory())
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


def _ask(procedure: Any, config: Any, drawables: list[Any]) -> bool:
    if TYPE_CHECKING:
        from mattebox.gimp_plugin.mattebox.dialog import ask_mask, ask_refine  # noqa: PLC0415
    else:
        from dialog import ask_mask, ask_refine  # noqa: PLC0415 - only where there is a window
    title = procedure.get_menu_label().replace("_", "").rstrip(".")
    record, networks = _record(), _networks()
    judge = judge_of(record.catalogue, record.models)
    if procedure.get_name() == MASK:
        return ask_mask(procedure, config, title, (networks, judge), (record, _layers(drawables)[0]))
    return ask_refine(procedure, config, title, (networks, judge))


def _layers(drawables: list[Any]) -> list[Any]:
    """The layers that are meant: a mask stands for its layer. Raises RefusedError."""
    layers: list[Any] = []
    for drawable in drawables:
        layer = Gimp.Layer.from_mask(drawable) if drawable.is_layer_mask() else drawable
        if not layer.is_layer():
            raise RefusedError(_("Select a layer: a channel shows no subject."))
        if layer.is_floating_sel():
            raise RefusedError(_("Anchor the floating selection first, or make it a layer of its own."))
        if layer not in layers:
            layers.append(layer)
    if not layers:
        raise RefusedError(_("Select a layer first."))
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
