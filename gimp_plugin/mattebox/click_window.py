"""Mask by clicking: a window that shows the layer, hears clicks, boxes and strokes, and shows the matte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402 - versions are chosen first

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox import messages
    from mattebox.gimp_plugin.mattebox.asking import Asking, Read
    from mattebox.gimp_plugin.mattebox.client import Answer, Record
    from mattebox.gimp_plugin.mattebox.edge_controls import EdgeControls
    from mattebox.gimp_plugin.mattebox.prompts import Said, Viewport
    from mattebox.gimp_plugin.mattebox.stage import Stage, ground_labels
    from mattebox.gimp_plugin.mattebox.words import _
else:
    import messages
    from asking import Asking
    from edge_controls import EdgeControls
    from prompts import Said, Viewport
    from stage import Stage, ground_labels
    from words import _

SMALLEST_DRAG = 4  # pixels of the window: less is a click
FACTOR = 1.25
SIZE = (820, 560)


def tool_labels() -> dict[str, tuple[str, str]]:
    """The tools, and what each does."""
    return {
        "click": (
            _("C_lick"),
            _("Click the subject; right-click or Ctrl-click what is none of it; drag a box around it"),
        ),
        "in": (_("Paint _in"), _("What you paint over belongs to the subject")),
        "out": (_("Paint ou_t"), _("What you paint over does not belong to the subject")),
        "unsure": (_("Paint un_sure"), _("What you paint over is solved again: hair, fur, glass")),
    }


class ClickWindow:
    """The window; run() returns the answer for the whole layer, or None where it was left."""

    def __init__(
        self,
        record: Record,
        read: Read,
        begun: tuple[Said, dict[str, Any]],
        layer: tuple[int, int],
        *,
        fetch: bool = True,
    ) -> None:
        """`read` packs the layer; `begun` is what was pointed at before, and the edges' values.

        layer: its size in pixels. fetch: whether the network that answers clicks may be fetched.
        """
        said, edges = begun
        self._said, self._layer = said, layer
        self._view = Viewport()
        self._stage: Stage | None = None
        self._fitted = True
        # Where a button went down, and what goes on since then: "pan", a box's other corner, nothing yet.
        self._drag: Any = None
        self._line: dict[str, Any] | None = None
        self._answer: Answer | None = None
        self.failure = ""
        self._build(edges)
        self._asking = Asking(record, read, self._hear, fetch=fetch)

    def run(self) -> Answer | None:
        """Let the person work, and return the engine's answer after OK. The window goes."""
        self._dialog.show_all()
        while True:
            reply = self._dialog.run()
            if reply != Gtk.ResponseType.OK or self._answer is not None or self.failure:
                break
            # The whole layer's matte takes longer than the preview's; the window stays until it is there.
            self._say(_("Making the mask of the whole layer"))
            self._controls.set_sensitive(False)
            self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
            self._asking.ask(self._said.request(self._edges.values, full=True))
        self._asking.end()
        self._dialog.destroy()
        return self._answer if reply == Gtk.ResponseType.OK else None

    def _build(self, edges: dict[str, Any]) -> None:
        self._dialog = Gtk.Dialog(title=_("Mask by Clicking"))
        self._dialog.set_default_size(*SIZE)
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("_OK"), Gtk.ResponseType.OK)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        self._dialog.connect("key-press-event", self._on_key)
        across = Gtk.Box(spacing=8, border_width=8)
        self._picture = Gtk.Image(halign=Gtk.Align.START, valign=Gtk.Align.START)
        self._canvas = Gtk.EventBox()
        self._canvas.add(self._picture)
        masks = Gdk.EventMask
        self._canvas.add_events(
            masks.BUTTON_PRESS_MASK
            | masks.BUTTON_RELEASE_MASK
            | masks.BUTTON_MOTION_MASK
            | masks.SCROLL_MASK
            | masks.SMOOTH_SCROLL_MASK
        )
        for name in ("button-press", "button-release", "motion-notify", "scroll"):
            self._canvas.connect(f"{name}-event", getattr(self, f"_on_{name.split('-')[-1]}"))
        frame = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.EXTERNAL)
        frame.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        frame.add(self._canvas)
        frame.connect("size-allocate", self._on_size)
        across.pack_start(frame, True, True, 0)
        across.pack_start(self._column(edges), False, False, 0)
        self._status = Gtk.Label(label=_("Looking at the picture"), xalign=0, wrap=True)
        content = self._dialog.get_content_area()
        content.pack_start(across, True, True, 0)
        content.pack_start(self._status, False, False, 4)
        self._window = (1, 1)

    def _column(self, edges: dict[str, Any]) -> Any:
        self._controls = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._tool, first = "click", None
        for name, (label, blurb) in tool_labels().items():
            button = Gtk.RadioButton.new_with_mnemonic_from_widget(first, label)
            first = first or button
            button.set_tooltip_text(blurb)
            button.connect("toggled", self._on_tool, name)
            self._controls.pack_start(button, False, False, 0)
        self._brush = Gtk.SpinButton.new_with_range(1, max(2, max(self._layer) // 2), 1)
        self._brush.set_value(max(4, max(self._layer) // 40))
        self._row(_("_Brush size"), self._brush, _("The brush's diameter in pixels of the layer"))
        self._ground = Gtk.ComboBoxText()
        for name, label in ground_labels().items():
            self._ground.append(name, label)
        self._ground.set_active_id("magenta")
        self._ground.connect("changed", lambda _widget: self._draw())
        self._row(_("_Ground"), self._ground, _("What stands behind the subject in this window"))
        self._edges = EdgeControls(edges, self._ask)
        self._controls.pack_start(self._edges, False, False, 8)
        for label, action, blurb in (
            (_("Un_do"), self._undo, _("Take back the last click, box or stroke (Ctrl+Z)")),
            (
                _("_Whole picture"),
                self._fit,
                _("Show the whole layer; the wheel zooms, the middle button moves"),
            ),
        ):
            button = Gtk.Button(label=label, use_underline=True, tooltip_text=blurb)
            button.connect("clicked", lambda _widget, act=action: act())
            self._controls.pack_start(button, False, False, 0)
        return self._controls

    def _row(self, text: str, widget: Any, blurb: str) -> None:
        row = Gtk.Box(spacing=8)
        widget.set_tooltip_text(blurb)
        label = Gtk.Label(label=text, use_underline=True, xalign=0, mnemonic_widget=widget)
        row.pack_start(label, True, True, 0)
        row.pack_start(widget, False, False, 0)
        self._controls.pack_start(row, False, False, 0)

    def _hear(self, what: str, value: Any) -> None:
        if what == "step":
            self._say(value)
        elif what == "failed":
            self.failure = value
            self._dialog.response(Gtk.ResponseType.CANCEL)
        elif what == "opened":
            self._stage = Stage(self._layer, value.size, value.picture)
            self._fit()
            self._ask()
        else:
            asked, answer = value
            if asked.full:
                self._answer = answer
                self._dialog.response(Gtk.ResponseType.OK)
                return
            if self._stage is not None:
                self._stage.show(answer.mask)
            self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)
            self._say(self._told(answer.report))
            self._draw()

    def _told(self, report: dict[str, Any]) -> str:
        """What to do next, and how sure the automatic matte is; of one that was pointed at nobody knows."""
        said = messages.advice(report) or _hint()
        confidence = report.get("confidence")
        if self._said.words or not isinstance(confidence, (int, float)):
            return said
        return f"{_('How sure it is: {share} %').format(share=round(100 * confidence))}. {said}"

    def _say(self, text: str) -> None:
        self._status.set_text(text)

    def _ask(self) -> None:
        if self._stage is not None:
            self._asking.ask(self._said.request(self._edges.values))

    def _undo(self) -> None:
        self._said.undo()
        self._draw()
        self._ask()

    def _fit(self) -> None:
        self._fitted = True
        self._view.fit(self._layer, self._window)
        self._draw()

    def _draw(self) -> None:
        if self._stage is None or min(self._window) < 2:
            return
        sheet = self._stage.drawn(self._window, self._view, self._ground.get_active_id(), self._said, True)
        if self._line is not None:
            self._stage.stroke(sheet, self._view, self._line)
        if self._drag is not None and self._tool == "click" and self._drag[2] is not None:
            self._stage.frame(sheet, self._view, _box(*self._drag[:2], *self._drag[2]))
        self._picture.set_from_pixbuf(sheet)

    def _on_tool(self, button: Any, name: str) -> None:
        if button.get_active():
            self._tool = name

    def _on_size(self, _widget: Any, place: Any) -> None:
        if (place.width, place.height) == self._window:
            return
        self._window = (place.width, place.height)
        if self._fitted:
            self._view.fit(self._layer, self._window)
        self._draw()

    def _on_key(self, _widget: Any, event: Any) -> bool:
        held = event.state & Gdk.ModifierType.CONTROL_MASK
        if held and event.keyval in (Gdk.KEY_z, Gdk.KEY_Z):
            self._undo()
            return True
        return False

    def _on_press(self, _widget: Any, event: Any) -> bool:
        if self._stage is None or not self._controls.get_sensitive():
            return True
        if event.button == 2:
            self._drag = (event.x, event.y, "pan")
            return True
        x, y = self._view.place(event.x, event.y)
        if self._tool == "click":
            self._drag = (x, y, None)
        else:
            self._line = {"say": self._tool, "size": self._brush.get_value(), "points": [[x, y]]}
            self._draw()
        return True

    def _on_notify(self, _widget: Any, event: Any) -> bool:
        if self._line is not None:
            self._line["points"].append(list(self._view.place(event.x, event.y)))
            self._draw()
        elif self._drag is not None and self._drag[2] == "pan":
            self._fitted = False
            self._view.pan(event.x - self._drag[0], event.y - self._drag[1])
            self._drag = (event.x, event.y, "pan")
            self._draw()
        elif self._drag is not None:
            x, y = self._view.place(event.x, event.y)
            far = max(abs(x - self._drag[0]), abs(y - self._drag[1])) * self._view.scale
            if far >= SMALLEST_DRAG or self._drag[2] is not None:
                self._drag = (*self._drag[:2], (x, y))
                self._draw()
        return True

    def _on_release(self, _widget: Any, event: Any) -> bool:
        drag, line, self._drag, self._line = self._drag, self._line, None, None
        if line is not None:
            self._said.stroke(**line)
        elif drag is None or drag[2] == "pan":
            return True
        elif drag[2] is not None:
            left, top, right, bottom = _box(drag[0], drag[1], *self._view.place(event.x, event.y))
            if right - left < 1 or bottom - top < 1:
                return True
            self._said.box(left, top, right, bottom)
        elif 0 <= drag[0] < self._layer[0] and 0 <= drag[1] < self._layer[1]:
            outside = event.button == 3 or event.state & Gdk.ModifierType.CONTROL_MASK
            self._said.click(drag[0], drag[1], not outside)
        self._draw()
        self._ask()
        return True

    def _on_scroll(self, _widget: Any, event: Any) -> bool:
        steps = {Gdk.ScrollDirection.UP: 1.0, Gdk.ScrollDirection.DOWN: -1.0}.get(event.direction, 0.0)
        if event.direction == Gdk.ScrollDirection.SMOOTH:
            steps = -event.delta_y
        self._fitted = False
        self._view.zoom(FACTOR**steps, event.x, event.y)
        self._draw()
        return True


def _box(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float, float, float]:
    return min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)


def _hint() -> str:
    return _("Click the subject; right-click or Ctrl-click what is none of it; drag a box; undo with Ctrl+Z")
