"""A network in 8-bit integers: calibrated, checked against the original, kept or refused.

Static quantisation in QDQ form: activations as uint8 with the ranges seen on calibration pictures,
weights as int8 with one scale per output channel. Source: onnxruntime's quantisation guide.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.errors import OptimizeError
from mattebox.core.network.dot_products import has_int8_dot_products
from mattebox.core.network.narrow import widened
from mattebox.core.network.segmenter import Segmenter, input_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from mattebox.models.catalogue import Network

    View = NDArray[np.uint8]
    Ranges = dict[str, tuple[float, float]]

_OPSET: Final = 13  # the first whose quantisation nodes know channels
# What a quantised network may differ from its original, over the pictures of the check: the mean IoU
# of the halves above 0.5, and the mean absolute difference of the probabilities. Chosen by what is lost
# against the truth on 54 labelled photos: three forms of u2net that are .006 to .007 away on drawn scenes,
# with IoUs of .93 to .95, lose .000 to .009 of their mean IoU; two of u2netp, .09 away with .71, lose .21
# to .23. So the most that may differ is where about a hundredth of IoU is lost.
LEAST_IOU: Final = 0.90
MOST_DIFFERENCE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a network in other numbers is to its original, over `pictures` pictures.

    iou: mean of the halves above 0.5, over pictures where the original finds a subject; 1 where none.
    difference: mean absolute difference of probabilities, 0..1. worst: the largest of one picture.
    """

    iou: float
    difference: float
    worst: float
    pictures: int

    @property
    def is_good(self) -> bool:
        """Whether the network may stand in for its original."""
        return self.iou >= LEAST_IOU and self.difference <= MOST_DIFFERENCE


@dataclass(frozen=True, slots=True)
class Form:
    """How numbers are written in 8 bits; the default is what bench/number_kinds.py found best.

    signed_activations, signed_weights: int8, else uint8. narrow: weights in 7 bits, so that no sum saturates;
    None: where this processor needs that. operators: what is quantised; None: all that can be. float_ends:
    whether the first and the last convolution stay in float.
    """

    signed_activations: bool = False
    signed_weights: bool = True
    narrow: bool | None = None
    operators: tuple[str, ...] | None = None
    float_ends: bool = False


def quantize(
    network: Network,
    weights: Path,
    calibration: Sequence[View] | Ranges,
    target: Path,
    tick: Callable[[], None] = lambda: None,
    *,
    form: Form = Form(),
) -> None:
    """Write `weights` in 8-bit integers to `target`.

    calibration: pictures, (h, w, 3) uint8 sRGB, whose activations are measured (`tick` after each), or the
    ranges that are known. Raises OptimizeError where the network cannot be quantised.
    """
    with _plain(network, weights, target.parent) as (plain, sums):
        from onnxruntime import quantization  # noqa: PLC0415 - needs onnx
        from onnxruntime.quantization.calibrate import TensorsData  # noqa: PLC0415
        from onnxruntime.quantization.quant_utils import load_model_with_shape_infer  # noqa: PLC0415

        try:
            ranges = (
                calibration if isinstance(calibration, dict) else _measured(network, plain, calibration, tick)
            )
            model = load_model_with_shape_infer(plain)
            convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
            ends = [convolutions[0], convolutions[-1]] if form.float_ends else []
            quantizer = quantization.QDQQuantizer(
                model,
                per_channel=True,
                # Without dot products that cannot saturate, sums of 8-bit products overflow 16 bits.
                reduce_range=not has_int8_dot_products() if form.narrow is None else form.narrow,
                weight_qType=_type(signed=form.signed_weights),
                activation_qType=_type(signed=form.signed_activations),
                tensors_range=TensorsData(
                    quantization.CalibrationMethod.MinMax,
                    {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()},
                ),
                nodes_to_quantize=[],
                # Their weights are 0 and 1 in 8 bits already.
                nodes_to_exclude=[*sums, *ends],
                op_types_to_quantize=list(form.operators or _operators()),
                extra_options={},
            )
            quantizer.quantize_model()
            quantizer.model.save_model_to_file(os.fspath(target), False)
        except Exception as error:
            target.unlink(missing_ok=True)
            raise _cannot(network) from error


def measure(
    network: Network, weights: Path, pictures: Sequence[View], tick: Callable[[], None] = lambda: None
) -> Ranges:
    """The least and the greatest value of each tensor of a network over `pictures`, (h, w, 3) uint8 sRGB.

    Raises OptimizeError.
    """
    with tempfile.TemporaryDirectory() as scratch, _plain(network, weights, Path(scratch)) as (plain, _):
        try:
            return _measured(network, plain, pictures, tick)
        except Exception as error:
            raise _cannot(network) from error


def _measured(network: Network, plain: Path, pictures: Sequence[View], tick: Callable[[], None]) -> Ranges:
    from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator  # noqa: PLC0415

    calibrator = create_calibrator(
        plain,
        _operators(),
        augmented_model_path=os.fspath(plain.with_name("augmented.onnx")),
        calibrate_method=CalibrationMethod.MinMax,
    )
    entry = calibrator.infer_session.get_inputs()[0].name
    calibrator.collect_data(_Feed(network, entry, pictures, tick))
    found = {
        name: (float(np.asarray(data.range_value[0]).item()), float(np.asarray(data.range_value[1]).item()))
        for name, data in calibrator.compute_data().items()
    }
    # What no run passes through has none.
    return {name: ends for name, ends in found.items() if np.isfinite(ends).all()}


def _type(*, signed: bool) -> Any:
    from onnxruntime.quantization import QuantType  # noqa: PLC0415 - needs onnx

    return QuantType.QInt8 if signed else QuantType.QUInt8


def _operators() -> list[str]:
    """Every operator that onnxruntime can quantise."""
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry  # noqa: PLC0415 - needs onnx

    return sorted({*QDQRegistry, *QLinearOpsRegistry})


@contextlib.contextmanager
def _plain(network: Network, weights: Path, folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """The network as it is quantised, in a file below `folder`, and the names of its sums of taps."""
    import onnx  # noqa: PLC0415 - loaded where something is quantised alone
    from onnx import version_converter  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{network.file}.plain.") as scratch, _quiet():
        plain = Path(scratch) / "plain.onnx"
        try:
            model = onnx.load(os.fspath(weights))
            # The side outputs of training would be computed, and calibrated, for nobody.
            del model.graph.output[1:]
            if model.opset_import[0].version < _OPSET:
                model = version_converter.convert_version(model, _OPSET)
            sums = widened(model)
            onnx.save(model, os.fspath(plain))
            del model
        except Exception as error:
            raise _cannot(network) from error
        yield plain, sums


def _cannot(network: Network) -> OptimizeError:
    return OptimizeError(f"The network {network.name} cannot be quantised; it is used as it is.")


def compare(
    original: Segmenter, other: Segmenter, pictures: Sequence[View], tick: Callable[[], None]
) -> Agreement:
    """How near `other` is to `original` on `pictures`; `tick` after each."""
    ious, differences = [], []
    for picture in pictures:
        expected, given = original.probability(picture), other.probability(picture)
        differences.append(float(np.abs(expected - given).mean()))
        subject, found = expected > 0.5, given > 0.5
        if subject.any():
            ious.append(float((subject & found).sum() / (subject | found).sum()))
        tick()
    return Agreement(
        iou=float(np.mean(ious)) if ious else 1.0,
        difference=float(np.mean(differences)),
        worst=max(differences),
        pictures=len(pictures),
    )


class _Feed:
    """onnxruntime's CalibrationDataReader over prepared pictures."""

    def __init__(
        self, network: Network, entry: str, pictures: Sequence[View], tick: Callable[[], None]
    ) -> None:
        self._network, self._entry, self._tick = network, entry, tick
        self._left = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        """The next prepared picture, or None after the last."""
        picture = next(self._left, None)
        if picture is None:
            return None
        self._tick()
        return {self._entry: input_tensor(self._network, picture)}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Onnxruntime's quantiser advises through the root logger; the user asked for none of it."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.setLevel(level)
