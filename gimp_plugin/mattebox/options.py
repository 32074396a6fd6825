"""What the user wants of one run, and the requests that follow from it for each layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mattebox.gimp_plugin.mattebox import protocol
    from mattebox.gimp_plugin.mattebox.errors import RefusedError
    from mattebox.gimp_plugin.mattebox.pixels import LayerView
    from mattebox.gimp_plugin.mattebox.words import _
else:
    import protocol
    from errors import RefusedError
    from words import _


@dataclass(frozen=True)
class Results:
    """What is made: "mask", "selection", "channel" or "layer", and what else of it at once.

    on_copy: a mask goes on a copy of the layer, which stays as it is.
    """

    first: str = "mask"
    selection: bool = False
    channel: bool = False
    on_copy: bool = False

    @classmethod
    def of(cls, config: Any) -> Results:
        """The results that a procedure's arguments name."""
        first = config.get_property("result")
        return cls(
            first=first,
            selection=first == "selection" or bool(config.get_property("and-selection")),
            channel=first == "channel" or bool(config.get_property("and-channel")),
            on_copy=first == "mask" and bool(config.get_property("on-copy")),
        )

    @property
    def of_layer(self) -> bool:
        """Whether a mask is made, on the layer itself or on another one."""
        return self.first in ("mask", "layer")

    @property
    def product(self) -> bool:
        """Whether a mask is made and the matte times alpha is wanted beside it."""
        return self.of_layer and (self.selection or self.channel)

    @property
    def hides(self) -> bool:
        """Whether the layer is hidden below what is made of it."""
        return self.first == "layer" or self.on_copy


@dataclass(frozen=True)
class Options:
    """One run's settings. source: network, mask or selection."""

    settings: dict[str, Any]
    rule_file: str = ""
    rule: str = ""
    source: str = "network"
    existing: str = "replace"
    inside: bool = False
    results: Results = Results()
    edges: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_mask(cls, config: Any) -> Options:
        """The settings of "Mask the Subject"."""
        file = config.get_property("rule-file")
        return cls(
            settings={
                "model": config.get_property("model"),
                "quality": config.get_property("quality"),
                "refine": config.get_property("refine"),
                "accept_licence": config.get_property("accept-licence"),
            },
            rule_file=(file.get_path() or "") if file is not None else "",
            rule=config.get_property("rule") or "",
            existing=config.get_property("existing"),
            inside=config.get_property("inside-selection"),
            results=Results.of(config),
        )

    @classmethod
    def of_refine(cls, config: Any) -> Options:
        """The settings of "Refine Mask Edges"."""
        edges = {name: config.get_property(name) for name in protocol.EDGES}
        chosen = any(edges.values())
        return cls(
            settings={"refine": config.get_property("refine")},
            source=config.get_property("source"),
            results=Results.of(config),
            edges={**edges, "keep_hair": bool(config.get_property("keep-hair"))} if chosen else {},
        )

    @property
    def with_selection(self) -> bool:
        """Whether the answer depends on the selection."""
        return self.inside or self.source == "selection"

    def check(self, views: list[LayerView]) -> None:
        """Raise RefusedError where a layer cannot have what the options say; nothing was changed yet."""
        for view in views:
            name, has_mask = view.layer.get_name(), view.layer.get_mask() is not None
            if self.source == "mask" and not has_mask:
                said = _("The layer “{name}” has no mask whose edges could be refined.")
                raise RefusedError(said.format(name=name))
            if self.existing == "refuse" and self.results.first == "mask" and has_mask:
                said = _("The layer “{name}” has a mask already, and it was to be kept.")
                raise RefusedError(said.format(name=name))
            if self.results.first == "layer" and view.layer.is_indexed():
                raise RefusedError(
                    _(
                        "An indexed image cannot hold clean colours; use Image > Mode > RGB first, or choose "
                        "another result."
                    )
                )
        is_selected = _selected(views[0].image)
        if self.results.selection and self.existing == "intersect" and len(views) > 1:
            raise RefusedError(
                _("Several layers cannot be intersected with one selection; select one layer.")
            )
        if self.results.selection and self.existing == "refuse" and is_selected:
            raise RefusedError(_("Something is selected already, and it was to be kept."))
        if self.source == "selection" and not is_selected:
            raise RefusedError(_("Nothing is selected that could be refined."))

    def request(self, view: LayerView) -> tuple[protocol.CutRequest, list[Iterable[bytes]]]:
        """What is sent for one layer; its bytes are read out of GIMP band by band. Raises RefusedError."""
        mask, combine = self._mask(view)
        blobs = [view.pixels()]
        if view.has_alpha:
            blobs.append(view.alpha())
        if mask is not None:
            blobs.append(mask)
        box = self._box(view)
        if box is not None:
            blobs.append(view.selection())
        if view.profile:
            blobs.append([view.profile])
        request = protocol.CutRequest(
            width=view.width,
            height=view.height,
            channels=view.channels,
            bits=view.bits,
            settings=self.settings,
            rule_file=self.rule_file,
            rule=self.rule,
            box=box,
            rough=self.source != "network",
            combine=combine,
            has_alpha=view.has_alpha,
            has_mask=mask is not None,
            has_selection=box is not None,
            colours=self.results.first == "layer",
            apply_alpha=not self.results.of_layer,
            profile=len(view.profile),
            edges=self.edges,
            product=self.results.product,
        )
        return request, blobs

    def _mask(self, view: LayerView) -> tuple[Iterable[bytes] | None, str]:
        """The mask to send, and how the engine combines it with what it finds."""
        if self.source == "selection":
            return view.selection(), "replace"
        if self.source == "mask":
            return view.mask(), "replace"
        if self.results.first != "mask" or self.existing in ("replace", "refuse"):
            return None, "replace"
        if view.layer.get_mask() is not None:
            return view.mask(), self.existing
        # Without a mask the whole layer is visible: less the subject, everything else stays.
        return (view.white(), "subtract") if self.existing == "subtract" else (None, "replace")

    def _box(self, view: LayerView) -> list[int] | None:
        if not self.inside or not _selected(view.image):
            return None
        left, top, right, bottom = Gimp.Selection.bounds(view.image)[-4:]
        box = [
            max(left - view.left, 0),
            max(top - view.top, 0),
            min(right - view.left, view.width),
            min(bottom - view.top, view.height),
        ]
        if box[0] >= box[2] or box[1] >= box[3]:
            said = _("The selection does not touch the layer “{name}”.")
            raise RefusedError(said.format(name=view.layer.get_name()))
        return box


def _selected(image: Any) -> bool:
    return not Gimp.Selection.is_empty(image)
