"""What a look costs in which kinds of numbers on this processor, and how far its answers are from float32's.

    python bench/number_kinds.py --photos FOLDER --json kinds.json

Processor time of one look of u2net on one thread, the least of several that alternate; a map's mean
difference to float32's and the IoU of their halves over drawn scenes and, where a folder is named, its first
photos.
The row with a star is the form that `mattebox models optimize` makes here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from speed import machine

import mattebox.core  # noqa: F401 - before onnxruntime: it forbids telemetry

# isort: split
import onnx
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from mattebox.core.errors import InferenceError
from mattebox.core.network.dot_products import has_int8_dot_products
from mattebox.core.network.pictures import synthetic_scenes
from mattebox.core.network.quantize import Form, compare, quantize
from mattebox.core.network.segmenter import Segmenter
from mattebox.core.photo import read_photo
from mattebox.core.segment.view import LONGEST, network_view
from mattebox.models.catalogue import find_network
from mattebox.models.ranges import find_ranges
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    View = NDArray[np.uint8]

SHIPPED = "8 bits: uint8 with int8 weights *"
FORMS = {
    SHIPPED: Form(),
    "the same, weights in 7 bits (for AVX2 alone)": Form(narrow=True),
    "uint8 with uint8 weights": Form(signed_weights=False),
    "int8 with int8 weights": Form(signed_activations=True),
    "shipped, first and last convolution in float": Form(float_ends=True),
    "shipped, convolutions alone": Form(operators=("Conv",)),
    "shipped, but resizes in float": Form(operators=("Conv", "Concat", "MaxPool", "Sigmoid", "Add")),
    "shipped, but sigmoids in float": Form(operators=("Conv", "Concat", "MaxPool", "Resize", "Add")),
    "shipped, but concatenations in float": Form(operators=("Conv", "MaxPool", "Sigmoid", "Resize", "Add")),
}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="u2net", help="one whose ranges were measured")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="photos to compare answers on, too")
    parser.add_argument("--count", type=int, default=8, help="drawn scenes, and photos of the folder")
    parser.add_argument("--rounds", type=int, default=5, help="timed looks of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    views = synthetic_scenes(options.count, 1)
    if options.photos:
        paths = sorted(path for path in options.photos.iterdir() if path.is_file())[: options.count]
        views += [network_view(read_photo(path, longest=LONGEST)) for path in paths]
    with tempfile.TemporaryDirectory(prefix="mattebox-kinds-") as scratch:
        rows = measured(options.network, Path(scratch), views, options.rounds)
    report = {
        "machine": machine(),
        "int8_dot_products": has_int8_dot_products(),
        "onnxruntime": ort.__version__,
        "pictures": len(views),
        "kinds": rows,
    }
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def measured(name: str, scratch: Path, views: list[View], rounds: int) -> dict[str, dict[str, Any]]:
    """By kind: its file's MB, milliseconds of a look, difference to float32, IoU; or why there are none."""
    network, store = find_network(name), Store()
    weights = store.ensure(network)
    ranges = find_ranges(network)
    if ranges is None:
        raise SystemExit(f"{name} was measured by nobody; see bench/ranges.py.")
    known = ranges
    makers: dict[str, Callable[[Path], None]] = {
        "float16 in the file, computed in float32": lambda target: stored_in_half(weights, target),
        "float16": lambda target: computed_in_half(weights, target),
        "8-bit weights, ranges taken at each run": lambda target: quantize_dynamic(
            weights, target, weight_type=QuantType.QUInt8
        ),
    }
    for title, form in FORMS.items():
        makers[title] = lambda target, form=form: quantize(network, weights, known, target, form=form)  # type: ignore[misc]  # one maker a form
    original = Segmenter(network, weights, threads=1, device="cpu")
    loaded = {"float32": original}
    rows: dict[str, dict[str, Any]] = {"float32": {"mb": weights.stat().st_size / 1e6}}
    for place, (title, make) in enumerate(makers.items()):
        path = scratch / f"{place}.onnx"
        try:
            make(path)
            loaded[title] = Segmenter(network, path, threads=1, device="cpu")
            loaded[title].probability(views[0])
            rows[title] = {"mb": path.stat().st_size / 1e6}
        except InferenceError as error:
            rows[title] = {"why": str(error)}
            loaded.pop(title, None)
    taken: dict[str, list[float]] = {title: [] for title in loaded}
    for _ in range(rounds + 1):
        for title, segmenter in loaded.items():
            start = time.process_time()
            segmenter.probability(views[0])
            taken[title].append(time.process_time() - start)
    once = Remembered(original)
    for title, segmenter in loaded.items():
        agreement = compare(once, segmenter, views, lambda: None)
        rows[title] |= {
            "ms": 1000 * min(taken[title][1:]),
            "difference": agreement.difference,
            "worst": agreement.worst,
            "iou": agreement.iou,
        }
    return rows


class Remembered(Segmenter):
    """A network that looks at each view once."""

    def __init__(self, network: Segmenter) -> None:
        """Ask `network`."""
        self._asked = network
        self._maps: dict[int, NDArray[np.float32]] = {}

    def probability(self, view: View) -> NDArray[np.float32]:
        """What it said of this very array."""
        if id(view) not in self._maps:
            self._maps[id(view)] = self._asked.probability(view)
        return self._maps[id(view)]


def stored_in_half(weights: Path, target: Path) -> None:
    """Weights as float16 with a Cast behind each: half the file, the same arithmetic."""
    model = onnx.load(weights)
    casts = []
    for item in model.graph.initializer:
        values = onnx.numpy_helper.to_array(item)
        if values.dtype.name == "float32" and values.size > 1:
            name = item.name
            item.CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, target)


def computed_in_half(weights: Path, target: Path) -> None:
    """All in float16 but what goes in and comes out; onnxruntime computes on a CPU what it can of that."""
    onnx.save(convert_float_to_float16(onnx.load(weights), keep_io_types=True), target)


def show(report: dict[str, Any]) -> None:
    """Print the table."""
    console = Console()
    dots = "with" if report["int8_dot_products"] else "without"
    console.print(f"{report['machine']}, {dots} 8-bit dot products; onnxruntime {report['onnxruntime']}")
    table = Table("numbers", "file, MB", "a look, ms", "difference", "worst photo", "IoU with float32")
    for title, row in report["kinds"].items():
        if "why" in row:
            table.add_row(title, "", row["why"])
            continue
        table.add_row(
            title,
            f"{row['mb']:.0f}",
            f"{row['ms']:.0f}",
            f"{row['difference']:.4f}",
            f"{row['worst']:.4f}",
            f"{row['iou']:.4f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
