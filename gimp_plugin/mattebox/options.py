"""What the user wants of one run, and the requests that follow from it for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mattebox.gimp_plugin.mattebox import protocol
    from mattebox.gimp_plugin.mattebox.pixels import Sight
else:
    import protocol


class WishError(Exception):
    """What cannot be done, in one sentence for the user."""


@dataclass(frozen=True)
class Wishes:
    """One run's settings. source: network, mask or selection; result: mask, selection, channel or layer."""

    settings: dict[str, Any]
    rule_file: str = ""
    rule: str = ""
    source: str = "network"
    existing: str = "replace"
    inside: bool = False
    result: str = "mask"

    @classmethod
    def of_mask(cls, config: Any) -> Wishes:
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
            result=config.get_property("result"),
        )

    @classmethod
    def of_refine(cls, config: Any) -> Wishes:
        """The settings of "Refine Mask Edges"."""
        return cls(settings={}, source=config.get_property("source"), result=config.get_property("result"))

    def check(self, sights: list[Sight]) -> None:
        """Raise WishError where a layer cannot have what is wished; nothing was changed yet."""
        for sight in sights:
            name, has_mask = sight.layer.get_name(), sight.layer.get_mask() is not None
            if self.source == "mask" and not has_mask:
                raise WishError(f"The layer “{name}” has no mask whose edges could be refined.")
            if self.existing == "refuse" and self.result == "mask" and has_mask:
                raise WishError(f"The layer “{name}” has a mask already, and it was to be kept.")
            if self.result == "layer" and sight.layer.is_indexed():
                raise WishError(
                    "An indexed image cannot hold clean colours; use Image > Mode > RGB first, or choose "
                    "another result."
                )
        if self.result == "selection" and self.existing == "intersect" and len(sights) > 1:
            raise WishError("Several layers cannot be intersected with one selection; select one layer.")
        if self.source == "selection" and not _selected(sights[0].image):
            raise WishError("Nothing is selected that could be refined.")

    def request(self, sight: Sight) -> tuple[protocol.CutRequest, list[Iterable[bytes]]]:
        """What is sent for one layer; its bytes are read out of GIMP band by band. Raises WishError."""
        mask, combine = self._mask(sight)
        blobs = [sight.pixels()]
        if sight.has_alpha:
            blobs.append(sight.alpha())
        if mask is not None:
            blobs.append(mask)
        if sight.profile:
            blobs.append([sight.profile])
        request = protocol.CutRequest(
            width=sight.width,
            height=sight.height,
            channels=sight.channels,
            bits=sight.bits,
            settings=self.settings,
            rule_file=self.rule_file,
            rule=self.rule,
            box=self._box(sight),
            rough=self.source != "network",
            combine=combine,
            has_alpha=sight.has_alpha,
            has_mask=mask is not None,
            colours=self.result == "layer",
            apply_alpha=self.result in ("selection", "channel"),
            profile=len(sight.profile),
        )
        return request, blobs

    def _mask(self, sight: Sight) -> tuple[Iterable[bytes] | None, str]:
        """The mask to send, and how the engine combines it with what it finds."""
        if self.source == "selection":
            return sight.selection(), "replace"
        if self.source == "mask":
            return sight.mask(), "replace"
        if self.result != "mask" or self.existing in ("replace", "refuse"):
            return None, "replace"
        if sight.layer.get_mask() is not None:
            return sight.mask(), self.existing
        # Without a mask the whole layer is visible: less the subject, everything else stays.
        return (sight.white(), "subtract") if self.existing == "subtract" else (None, "replace")

    def _box(self, sight: Sight) -> list[int] | None:
        if not self.inside or not _selected(sight.image):
            return None
        left, top, right, bottom = Gimp.Selection.bounds(sight.image)[-4:]
        box = [
            max(left - sight.left, 0),
            max(top - sight.top, 0),
            min(right - sight.left, sight.width),
            min(bottom - sight.top, sight.height),
        ]
        if box[0] >= box[2] or box[1] >= box[3]:
            raise WishError(f"The selection does not touch the layer “{sight.layer.get_name()}”.")
        return box


def _selected(image: Any) -> bool:
    return not Gimp.Selection.is_empty(image)
