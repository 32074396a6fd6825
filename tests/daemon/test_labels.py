"""Labels: what was not sure is red wherever photographers look, and no sidecar of theirs loses a byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.core.photo.xmp_label import labelled, merged, new_packet, without_ours
from mattebox.core.settings.label import COLOURS, Decision, Label, LabelSettings, label_of
from mattebox.daemon.config.load import load_config
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import ConfigError
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason=".ci/readers.sh installs it")
KEYS = "label: {unsure: red, sure: green, failed: purple, rating: {unsure: 1}}"
THEIRS = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="uuid:1" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" crs:Exposure2012="+0.35" SAID>
   <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
PLAIN = THEIRS.replace(b" SAID", b"")
SAID = THEIRS.replace(b"SAID", b'xmp:Rating="4" xmp:Label="Blue"')


def with_label(keys: str, text: str = CONFIG) -> str:
    """A configuration whose rule labels."""
    return text.replace("        deliver", f"        {keys}\n        deliver")


def tags(path: Path) -> dict[str, Any]:
    """What ExifTool reads of label, stars and digiKam's number."""
    command = ["exiftool", "-json", "-n", "-XMP:Label", "-XMP:Rating", "-XMP:ColorLabel", path]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {key: value for key, value in found.items() if key != "SourceFile"}


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        (Decision(0.9), "sure"),
        (Decision(0.59), "unsure"),
        (Decision(0.9, ("touches_frame",)), "unsure"),
        (Decision(0.9, ("other",)), "sure"),
        (Decision(0.1, said="approved"), "approved"),
        (Decision(0.9, said="rejected"), "rejected"),
        (Decision(said="failed"), "failed"),
    ],
)
def test_a_decision_has_one_outcome(decision: Decision, outcome: str) -> None:
    """A person's word counts before the network's confidence and warnings."""
    colours = dict(zip(("sure", "unsure", "approved", "rejected", "failed"), COLOURS, strict=True))
    settings = LabelSettings.model_validate({**colours, "warnings": "touches_frame"})
    label = label_of(settings, decision)
    assert label is not None
    assert (label.outcome, label.colour) == (outcome, colours[outcome])


def test_what_is_not_said_is_as_its_like_or_nothing() -> None:
    """Approved is as sure and rejected as unsure; a failure has no label unless one is named."""
    settings = LabelSettings.model_validate({"unsure": "red", "rating": {"sure": 5}})
    assert label_of(settings, Decision(said="rejected")) == Label("rejected", "red", None)
    assert label_of(settings, Decision(said="approved")) == Label("approved", None, 5)
    assert label_of(settings, Decision(said="failed")) is None


@needs_exiftool
@pytest.mark.slow
@pytest.mark.parametrize("output", ["png", "webp", "tiff", "jpeg", "psd", "jxl", "mask"])
@pytest.mark.parametrize("xmp", [None, PLAIN, SAID], ids=["none", "plain", "said"])
def test_exiftool_reads_the_label_of_each_format(tmp_path: Path, output: str, xmp: bytes | None) -> None:
    """An output says red and one star, whatever the photo's own XMP said, and keeps the rest of that."""
    from mattebox.core.composition import Composition
    from mattebox.core.photo import Photo
    from mattebox.core.settings import parse_output
    from mattebox.core.write import write_output

    pixels = np.full((12, 16, 3), 90, np.uint8)
    composition = Composition(
        Photo(pixels, "rgb", xmp=xmp),
        pixels,
        pixels,
        np.full((12, 16), 255, np.uint8),
        background=(255, 255, 255) if output == "jpeg" else None,
        label=Label("unsure", "red", 1),
    )
    path = tmp_path / f"a.{'png' if output == 'mask' else output}"
    write_output(composition, parse_output({"format": output}), path)
    assert tags(path) == {"Label": "Red", "Rating": 1, "ColorLabel": 1}
    if xmp is not None and output != "mask":
        command = ["exiftool", "-s3", "-XMP-crs:Exposure2012", path]
        assert subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip() == "+0.35"


@needs_exiftool
@pytest.mark.slow
def test_sidecars_say_what_became_of_each_photo(tmp_path: Path) -> None:
    """Beside the originals: green where sure, red with a star where not, purple where it failed."""
    hot_folders = HotFolders(tmp_path, with_label(KEYS))
    hot_folders.drop({"sure.jpg": b"one", "unsure.jpg": b"doubt", "bad.jpg": b"bad"})
    hot_folders.once()
    assert tags(tmp_path / "done" / "sure.xmp") == {"Label": "Green", "ColorLabel": 4}
    assert tags(tmp_path / "done" / "unsure.xmp") == {"Label": "Red", "ColorLabel": 1, "Rating": 1}
    assert tags(tmp_path / "failed" / "bad.xmp") == {"Label": "Purple", "ColorLabel": 6}


@needs_exiftool
@pytest.mark.slow
def test_a_persons_sidecar_keeps_every_byte(tmp_path: Path) -> None:
    """The label is added to a.xmp on its way to done/; what it said itself is there byte for byte."""
    hot_folders = HotFolders(tmp_path, with_label(KEYS))
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": PLAIN})
    hot_folders.once()
    found = hot_folders.files("done")
    assert set(found) == {"a.jpg", "a.xmp"}
    assert without_ours(found["a.xmp"]) == PLAIN
    assert tags(tmp_path / "done" / "a.xmp") == {"Label": "Red", "ColorLabel": 1, "Rating": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sidecar", "why"), [(SAID, "keeps the colour or the stars"), (b"no XMP", "no XMP that one")]
)
def test_what_cannot_be_merged_stays_and_is_told(tmp_path: Path, sidecar: bytes, why: str) -> None:
    """Stars and a colour of a person's count; so do bytes that are no XMP. The report says so."""
    hot_folders = HotFolders(tmp_path, with_label("label: {unsure: red, rating: {unsure: 1}}"))
    said = sidecar.replace(
        b'xmp:Label="Blue"', b'xmp:Label="Blue" xmlns:d="http://www.digikam.org/ns/1.0/" d:ColorLabel="5"'
    )
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": said})
    hot_folders.once()
    assert hot_folders.files("done") == {"a.jpg": b"doubt", "a.xmp": said}
    (event,) = hot_folders.events_named("delivered")
    assert len(event.values["notes"]) == 1
    assert why in event.values["notes"][0]


@pytest.mark.slow
def test_stars_of_a_persons_stay_beside_a_new_colour(tmp_path: Path) -> None:
    """A sidecar with stars gets the colour alone, and the report says that its stars count."""
    hot_folders = HotFolders(tmp_path, with_label("label: {unsure: red, rating: {unsure: 1}}"))
    rated = THEIRS.replace(b"SAID", b'xmp:Rating="4"')
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": rated})
    hot_folders.once()
    found = hot_folders.files("done")["a.xmp"]
    assert without_ours(found) == rated
    assert b'xmp:Label="Red"' in found
    assert found.count(b"xmp:Rating=") == 1
    (event,) = hot_folders.events_named("delivered")
    assert "keeps the colour or the stars" in event.values["notes"][0]


@pytest.mark.slow
def test_originals_that_stay_get_a_sidecar_only_where_there_is_none(tmp_path: Path) -> None:
    """With `originals: keep` a person's sidecar in the watched folder is never touched."""
    text = with_label(KEYS).replace("    settle", "    originals: keep\n    settle")
    hot_folders = HotFolders(tmp_path, text)
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": PLAIN, "b.jpg": b"one"})
    hot_folders.once()
    found = hot_folders.files("in")
    assert found["a.xmp"] == PLAIN
    assert found["b.xmp"] == new_packet(Label("sure", "green", None))


@pytest.mark.slow
def test_a_review_labels_by_what_the_person_said(tmp_path: Path) -> None:
    """Approved is as sure, rejected as unsure, and a retry takes the label away again."""
    text = with_label(
        KEYS, CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
    )
    hot_folders = HotFolders(tmp_path, text)
    hot_folders.drop({"yes.jpg": b"doubt", "no.jpg": b"doubt it", "no.xmp": PLAIN})
    hot_folders.once()
    for psd in (tmp_path / "review").glob("*.psd"):
        folder = tmp_path / "review" / ("approved" if psd.name.startswith("yes") else "rejected")
        folder.mkdir()
        psd.rename(folder / psd.name)
    hot_folders.once()
    assert hot_folders.files("done")["yes.xmp"] == new_packet(Label("approved", "green", None))
    assert b'xmp:Label="Red"' in hot_folders.files("failed")["no.xmp"]
    journal = Journal(tmp_path / "state")
    for job in journal.jobs("failed"):
        Delivery(journal).return_original(job)
    journal.close()
    assert without_ours(hot_folders.files("in")["no.xmp"]) == PLAIN


@pytest.mark.slow
def test_a_sidecar_that_comes_late_takes_the_labels_place(tmp_path: Path) -> None:
    """Ours gives way: a.xmp is then the person's, with the label in it."""
    hot_folders = HotFolders(tmp_path, with_label(KEYS))
    hot_folders.drop({"a.jpg": b"doubt"})
    hot_folders.once()
    hot_folders.drop({"a.xmp": PLAIN})
    hot_folders.once()
    found = hot_folders.files("done")
    assert set(found) == {"a.jpg", "a.xmp"}
    assert without_ours(found["a.xmp"]) == PLAIN
    assert b'xmp:Label="Red"' in found["a.xmp"]


@pytest.mark.slow
def test_a_sidecar_of_another_photo_is_left(tmp_path: Path) -> None:
    """Where done/a.xmp is somebody's already, the label goes into a.jpg.xmp."""
    hot_folders = HotFolders(tmp_path, with_label(KEYS))
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "a.xmp").write_bytes(PLAIN)
    hot_folders.drop({"a.jpg": b"doubt"})
    hot_folders.once()
    assert hot_folders.files("done")["a.xmp"] == PLAIN
    assert b'xmp:Label="Red"' in hot_folders.files("done")["a.jpg.xmp"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("label: {unsure: rot}", "write red, yellow, green, blue or purple"),
        ("label: {rating: {sure: 6}}", "write at most 5"),
        ("label: {unsuer: red}", "did you mean unsure"),
        ("label: red", "write keys with values"),
        ("label: {below: 0.4}", "this label says nothing"),
    ],
)
def test_wrong_labels_are_told(tmp_path: Path, keys: str, said: str) -> None:
    """Each mistake has a place and a sentence."""
    hot_folders = HotFolders(tmp_path, with_label(keys))
    with pytest.raises(ConfigError, match=said):
        load_config(hot_folders.config)


@given(
    noise=st.text(max_size=40),
    colour=st.sampled_from([None, *COLOURS]),
    rating=st.none() | st.integers(-1, 5),
    place=st.integers(0, len(PLAIN)),
)
def test_merging_only_ever_adds(noise: str, colour: Any, rating: int | None, place: int) -> None:
    """Whatever lies in a sidecar: merged, and ours taken out again, it is the same bytes."""
    label = Label("unsure", colour, rating)
    packet = PLAIN[:place] + noise.encode("utf-8", "surrogatepass") + PLAIN[place:]
    found = merged(packet, label).packet
    if found is not None:
        assert without_ours(found) == packet
        assert merged(found, label).packet == found
    output = labelled(packet, label)
    assert output is None or without_ours(output) == packet
