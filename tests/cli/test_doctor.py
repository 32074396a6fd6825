"""`mattebox doctor` shows what is there and whether it is used."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import onnxruntime as ort
import pytest
from click.testing import CliRunner

from mattebox.cli.doctor import command
from mattebox.core.network.device import DEVICES, PROVIDERS

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> Any:
    """The command's result."""
    return CliRunner().invoke(command, arguments, obj={})


def test_without_weights_it_tells_what_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty cache nothing can be tried; each device is named with its remedy all the same."""
    monkeypatch.setenv("MATTEBOX_MODELS", str(tmp_path))
    done = run("--json")
    findings = json.loads(done.stdout)
    assert [item["device"] for item in findings["devices"]] == [name for name in DEVICES if name != "auto"]
    missing = next(
        item for item in findings["devices"] if not item["offered"] and item["device"] != "openvino"
    )
    assert "not in this onnxruntime" in missing["reason"]
    assert findings["weights"]["here"] is False
    assert "'mattebox models pull u2net' fetches them" in run().stdout


@pytest.mark.network
def test_with_weights_each_device_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With u2netp here, the CPU and OpenVINO are run, timed, and agree."""
    from mattebox.models.catalogue import find_network
    from mattebox.models.store import Store

    Store().ensure(find_network("u2netp"))
    done = run("--json", "--model", "u2netp")
    devices = {item["device"]: item for item in json.loads(done.stdout)["devices"]}
    assert devices["cpu"]["works"]
    assert devices["cpu"]["milliseconds"] > 0
    assert devices["openvino"]["works"]


@pytest.mark.network
def test_it_says_what_8_bits_bring_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a form in 8 bits is kept, both are timed and their agreement is told; without one, why not."""
    from mattebox.core.network.device import usable_kinds
    from mattebox.models.catalogue import find_network
    from mattebox.models.optimised import keep_optimised, remove_optimised
    from mattebox.models.store import Store

    network = find_network("u2netp")
    weights = Store().ensure(network)
    shutil.copy2(weights, tmp_path / weights.name)
    monkeypatch.setenv("MATTEBOX_MODELS", str(tmp_path))
    store, kind = Store(), usable_kinds()[0]
    store.verify(network)
    # What is timed is the file that is kept, whatever is in it: here the original under another name.
    staged = tmp_path / "staged.onnx"
    shutil.copy2(weights, staged)
    keep_optimised(store, network, staged, kind, iou=0.93, difference=0.004, pictures=12)
    told = run("--model", "u2netp").stdout
    assert "times as quick on this processor; IoU 0.930 with the original on 12 drawn scenes" in told
    remove_optimised(store, network)
    assert "8-bit integers: tried here and not kept" in run("--model", "u2netp").stdout


@pytest.mark.network
def test_offered_device_that_fails_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """An accelerator that onnxruntime offers and that does not start is exit status 1, with the reason."""
    from mattebox.models.catalogue import find_network
    from mattebox.models.store import Store

    Store().ensure(find_network("u2netp"))
    offered = [*ort.get_available_providers(), PROVIDERS["cuda"]]
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    done = run("--model", "u2netp")
    assert done.exit_code == 1
    assert "Device cuda does not work" in done.stdout
    assert "used by auto" in next(line for line in done.stdout.splitlines() if line.strip().startswith("cpu"))
