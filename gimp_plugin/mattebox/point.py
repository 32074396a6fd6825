"""The procedure "Mask by Clicking": what its arguments and the image say, the window, the result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.apply import apply
    from mattebox.gimp_plugin.mattebox.client import Answer, Engine, Payload, Record
    from mattebox.gimp_plugin.mattebox.errors import EngineError, RefusedError
    from mattebox.gimp_plugin.mattebox.networks import JUDGE, USUAL, facts_of, judge_of, missing_of
    from mattebox.gimp_plugin.mattebox.options import Options, Results
    from mattebox.gimp_plugin.mattebox.pixels import LayerView
    from mattebox.gimp_plugin.mattebox.pointing import OpenLayer
    from mattebox.gimp_plugin.mattebox.prompts import Said, read_box, read_points
    from mattebox.gimp_plugin.mattebox.protocol import EDGES, CutRequest
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from apply import apply
    from client import Engine
    from errors import EngineError, RefusedError
    from networks import JUDGE, USUAL, facts_of, judge_of, missing_of
    from options import Options, Results
    from pixels import LayerView
    from pointing import OpenLayer
    from prompts import Said, read_box, read_points
    from protocol import EDGES
    from words import _


def edges_of(config: Any) -> dict[str, Any]:
    """The edge choices of a procedure's arguments, as the engine wants them."""
    numbers = {name: config.get_property(name) for name in EDGES}
    return {**numbers, "keep_hair": bool(config.get_property("keep-hair"))}


def run_point(record: Record, config: Any, image: Any, layers: list[Any], interactive: bool) -> bool:
    """Point at the one layer and put the mask where the arguments say; False where the person left.

    Raises RefusedError, EngineError, MemoryError: nothing was changed then.
    """
    if len(layers) > 1:
        raise RefusedError(_("Select one layer: clicks are about one picture."))
    view = LayerView.of(layers[0], image)
    goes_on = config.get_property("from-mask") and view.layer.get_mask() is not None
    options = Options(
        settings={"quality": config.get_property("quality")},
        source="mask" if goes_on else "network",
        results=Results.of(config),
    )
    options.check([view])
    said = _said(config, view)

    if interactive:
        found = _by_hand(record, options, (said, edges_of(config)), view)
    else:
        found = _by_script(record, partial(_read, options, view), said.request(edges_of(config), full=True))
    if found is None:
        return False
    # Who has seen the matte is not told of doubts, and how sure one is that was pointed at nobody knows.
    known: dict[str, Any] = {"warnings": []} if interactive else {}
    found = replace(found, report={**found.report, "confidence": None, **known})
    for remark in apply(options, image, [(view, found)]):
        Gimp.message(remark)
    return True


def _read(options: Options, view: LayerView, engine: Engine) -> tuple[CutRequest, Payload]:
    with view.opened() as opened:
        request, blobs = options.request(opened)
        return request, engine.pack(request, blobs)


def _by_hand(
    record: Record, options: Options, begun: tuple[Said, dict[str, Any]], view: LayerView
) -> Answer | None:
    import gi  # noqa: PLC0415 - only where there is a window

    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi  # noqa: PLC0415

    GimpUi.init("mattebox")
    if TYPE_CHECKING:
        from mattebox.gimp_plugin.mattebox.click_window import ClickWindow  # noqa: PLC0415
        from mattebox.gimp_plugin.mattebox.fetching import CANCEL, WITHOUT, ask_fetch  # noqa: PLC0415
    else:
        from click_window import ClickWindow  # noqa: PLC0415
        from fetching import CANCEL, WITHOUT, ask_fetch  # noqa: PLC0415

    networks = facts_of([[USUAL, USUAL]], record.catalogue, record.models)
    missing = missing_of(networks, judge_of(record.catalogue, record.models), USUAL, "balanced")
    said = ""
    if missing:
        note = _("Without it the other networks answer clicks, and know less of single things.")
        said = ask_fetch(None, missing, note, optional=all(row.name == JUDGE for row in missing))
    if said == CANCEL:
        return None
    if said == WITHOUT:
        options = replace(options, settings={**options.settings, "judge": "none"})

    def told(engine: Engine) -> Any:
        try:
            return _read(options, view, engine)
        except RefusedError as error:
            raise EngineError(str(error)) from error

    size = (view.width, view.height)
    window = ClickWindow(record, told, begun, size, fetch=said != WITHOUT)
    found = window.run()
    if window.failure:
        raise EngineError(window.failure)
    return found


def _by_script(record: Record, read: Any, asked: Any) -> Answer:
    Gimp.progress_init("Mattebox")
    engine = Engine(record, Gimp.progress_set_text)
    try:
        return OpenLayer(engine, *read(engine)).matte(asked)
    finally:
        engine.close()
        Gimp.progress_end()


def _said(config: Any, view: LayerView) -> Said:
    """What arguments, selection and paths say, in pixels of the layer. Raises RefusedError."""
    said = Said()
    if config.get_property("from-selection"):
        found = Gimp.Selection.bounds(view.image)
        if not found[1]:
            raise RefusedError(_("Nothing is selected that could say where the subject is."))
        left, top, right, bottom = found[-4:]
        said.box(left - view.left, top - view.top, right - view.left, bottom - view.top)
    try:
        if config.get_property("box"):
            said.box(*read_box(config.get_property("box")))
        points = [
            (x, y, inside)
            for name, inside in (("inside", True), ("outside", False))
            for x, y in read_points(config.get_property(name) or "")
        ]
    except ValueError as error:
        raise RefusedError(
            _("Points are written 120,80 300,95 and a box LEFT,TOP,RIGHT,BOTTOM, in pixels of the layer.")
        ) from error
    if config.get_property("from-path"):
        anchors = [(x - view.left, y - view.top, True) for x, y in _anchors(view.image)]
        if not anchors:
            raise RefusedError(_("No path is selected whose anchors could say where the subject is."))
        points = anchors + points
    for x, y, inside in points:
        if not (0 <= x < view.width and 0 <= y < view.height):
            raise RefusedError(_("A point lies outside of the layer."))
        said.click(x, y, inside)
    return said


def _anchors(image: Any) -> list[tuple[float, float]]:
    """The anchors of the selected paths, in pixels of the canvas."""
    found = []
    for path in image.get_selected_paths():
        for stroke in path.get_strokes():
            numbers = list(path.stroke_get_points(stroke)[1])
            # Of each anchor three points: a handle, itself, a handle.
            found += list(zip(numbers[2::6], numbers[3::6]))
    return found
