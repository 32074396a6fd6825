"""The dialog's preview: the mask over the picture on a chosen colour, anew when an option changes.

The quick quality comes first; the one that is chosen follows. Nothing is fetched for a preview.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402 - the version is chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.asking import Asking
    from mattebox.gimp_plugin.mattebox.client import Record
    from mattebox.gimp_plugin.mattebox.errors import EngineError, RefusedError
    from mattebox.gimp_plugin.mattebox.networks import Known
    from mattebox.gimp_plugin.mattebox.options import Options
    from mattebox.gimp_plugin.mattebox.pixels import LayerView
    from mattebox.gimp_plugin.mattebox.prompts import Said, Viewport
    from mattebox.gimp_plugin.mattebox.stage import Stage, ground_labels
    from mattebox.gimp_plugin.mattebox.words import _
else:
    from asking import Asking
    from errors import EngineError, RefusedError
    from options import Options
    from pixels import LayerView
    from prompts import Said, Viewport
    from stage import Stage, ground_labels
    from words import _

SIZE = (300, 220)
PATIENCE = 300  # milliseconds after a change until it is shown: several come at once
OPTIONS = ("model", "quality", "refine", "rule-file")


class Preview(Gtk.Box):  # type: ignore[misc]  # gi has no types
    """A small picture and the choice of what stands behind the subject in it."""

    def __init__(self, record: Record, config: Any, layer: Any, known: Known) -> None:
        """Begin to show `layer` as `config` would mask it."""
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
        self._record, self._config = record, config
        self._networks, self._judge = known
        self._layer, self._image, self._quality = layer, layer.get_image(), "fast"
        self._stage: Stage | None = None
        self._asking: Asking | None = None
        self._waiting = 0
        self._picture = Gtk.Image()
        self._picture.set_size_request(*SIZE)
        self._ground = Gtk.ComboBoxText(tooltip_text=_("What stands behind the subject in this window"))
        for name, label in ground_labels().items():
            self._ground.append(name, label)
        self._ground.set_active_id("magenta")
        self._ground.connect("changed", lambda _widget: self._draw())
        self._status = Gtk.Label(label="", xalign=0, wrap=True, max_width_chars=40)
        self.pack_start(self._picture, False, False, 0)
        self.pack_start(self._ground, False, False, 0)
        self.pack_start(self._status, False, False, 0)
        for name in OPTIONS:
            config.connect(f"notify::{name}", self._on_change)
        self._begin("fast")

    def end(self) -> None:
        """Let the engine forget the layer."""
        if self._waiting:
            GLib.source_remove(self._waiting)
            self._waiting = 0
        if self._asking is not None:
            self._asking.end()
            self._asking = None

    def _on_change(self, *_changed: Any) -> None:
        if self._waiting:
            GLib.source_remove(self._waiting)
        self._waiting = GLib.timeout_add(PATIENCE, self._again)

    def _again(self) -> bool:
        self._waiting = 0
        self._begin("fast")
        return False

    def _begin(self, quality: str) -> None:
        if self._asking is not None:
            self._asking.end()
            self._asking = None
        name = self._config.get_property("model")
        here = any(row.name == name and row.here for row in self._networks)
        if self._config.get_property("rule-file") is not None or not here:
            self._status.set_text(_("There is no preview of a rule, or of a network that is not here."))
            return
        settings = {"model": name, "quality": quality, "refine": self._config.get_property("refine")}
        settings["accept_licence"] = self._config.get_property("accept-licence")
        if self._judge is not None and not self._judge.here:
            settings["judge"] = "none"
        self._quality = quality

        def read(engine: Any) -> Any:
            try:
                view = LayerView.of(self._layer, self._image)
                with view.opened() as opened:
                    request, blobs = Options(settings=settings).request(opened)
                    return request, engine.pack(request, blobs)
            except RefusedError as error:
                raise EngineError(str(error)) from error

        self._asking = Asking(self._record, read, self._hear, pointing=False)

    def _hear(self, what: str, value: Any) -> None:
        if what in ("step", "failed"):
            self._status.set_text(value)
        elif what == "opened":
            layer = (self._layer.get_width(), self._layer.get_height())
            self._stage = Stage(layer, value.size, value.picture)
            if self._asking is not None:
                self._asking.ask(Said().request({}))
        else:
            answer = value[1]
            if self._stage is not None:
                self._stage.show(answer.mask)
            self._draw()
            chosen = self._config.get_property("quality")
            if self._quality != chosen:
                self._begin(chosen)
                return
            sure = _("How sure it is: {share} %").format(
                share=round(100 * answer.report.get("confidence", 0.0))
            )
            self._status.set_text(sure)

    def _draw(self) -> None:
        if self._stage is None:
            return
        view = Viewport()
        view.fit(self._stage.layer, SIZE)
        self._picture.set_from_pixbuf(
            self._stage.drawn(SIZE, view, self._ground.get_active_id(), Said(), False)
        )
