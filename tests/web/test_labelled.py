"""What a person decides at the light table is what photographers' programs show, by a rule's `label:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.web.rig import REVIEW, hot_folders, put

from mattebox.core.photo.xmp_label import new_packet
from mattebox.core.settings.label import Label
from mattebox.web.table.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.hot_folders import HotFolders

LABELS = "label: {sure: green, unsure: yellow, approved: blue, rejected: red, rating: {approved: 4}}"


def decide(folders: HotFolders, verdicts: dict[str, str]) -> None:
    """Decide at the table, deliver, and let the hot folders carry it out."""
    desk = Desk(folders.root / "state", "config.yaml")
    ids = {item["name"]: item["id"] for item in desk.changes()[0]}
    for name, verdict in verdicts.items():
        settings = {"quality": "best"} if verdict in ("again", "back") else None
        assert desk.decide([ids[name]], verdict, settings=settings)  # type: ignore[arg-type]
    desk.send()
    desk.close()
    folders.once()


def sidecars(folders: HotFolders, *places: str) -> dict[str, bytes]:
    """The XMP sidecars there."""
    found = {f"{place}/{name}": data for place in places for name, data in folders.files(place).items()}
    return {name: data for name, data in found.items() if name.endswith(".xmp")}


@pytest.mark.slow
def test_each_decision_has_its_label_beside_the_original_and_in_the_outputs(tmp_path: Path) -> None:
    """Approved, rejected, taken back: each has its own colour, and one that waits again has none yet."""
    text = REVIEW.replace("        deliver", f"        {LABELS}\n        deliver")
    folders = hot_folders(tmp_path, text)
    put(folders, ["photo-100.jpg", "photo-200.jpg", "photo-300.jpg", "sure-020.jpg", "sure-021.jpg"])
    folders.once()
    green = new_packet(Label("sure", "green", None))
    assert sidecars(folders, "done", "in") == {"done/sure-020.xmp": green, "done/sure-021.xmp": green}
    decide(folders, {"photo-100.jpg": "accept", "photo-200.jpg": "reject", "photo-300.jpg": "again"})
    approved = new_packet(Label("approved", "blue", 4))
    rejected = new_packet(Label("rejected", "red", None))
    assert sidecars(folders, "done", "failed", "in") == {
        "done/photo-100.xmp": approved,
        "failed/photo-200.xmp": rejected,
        "done/sure-020.xmp": green,
        "done/sure-021.xmp": green,
    }
    with Image.open(folders.root / "out" / "photo-100.png") as picture:
        assert "Blue" in str(picture.info["XML:com.adobe.xmp"])
    decide(folders, {"photo-300.jpg": "accept", "sure-020.jpg": "back", "sure-021.jpg": "reject"})
    assert "done/sure-020.xmp" not in sidecars(folders, "done")
    decide(folders, {"sure-020.jpg": "accept"})
    assert sidecars(folders, "done", "failed", "in") == {
        "done/photo-100.xmp": approved,
        "failed/photo-200.xmp": rejected,
        "done/photo-300.xmp": approved,
        "done/sure-020.xmp": approved,
        # Called wrong, and a mark: it stays as it was delivered.
        "done/sure-021.xmp": green,
    }
