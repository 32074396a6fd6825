"""`mattebox doctor`: what this computer offers, and whether it is used."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mattebox.cli.echo import echo

if TYPE_CHECKING:
    from mattebox.models.catalogue import Network
    from mattebox.models.optimised import Record

_PACKAGES: Final = ("mattebox", "onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "openvino")
_PACKAGES_REST: Final = ("numpy", "opencv-python-headless", "pillow", "psd-tools")


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("-m", "--model", default="u2net", show_default=True, help="The network to try devices with.")
@click.argument("config", required=False, type=click.Path(path_type=Path), metavar="[CONFIG]")
@click.pass_context
def command(context: click.Context, *, config: Path | None, as_json: bool, model: str) -> None:
    """Show what this computer offers and prove each device with a run.

    With CONFIG its hot folders are looked at, too: their state, their journal, and photos in work that no
    journal knows. Exit status 1 where a device that the installed onnxruntime offers does not work, or
    something is wrong with the hot folders.
    """
    folders = None if config is None else _hot_folders(context, config)
    findings = _examine(model)
    if folders is not None:
        findings["hot_folders"] = folders
    if as_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        _print(findings)
    broken = [item for item in findings["devices"] if item["offered"] and not item["works"]]
    if broken or (folders is not None and folders["problems"]):
        context.exit(1)


def _hot_folders(context: click.Context, config: Path) -> dict[str, Any]:
    from mattebox.cli.hot_folders import read_config  # noqa: PLC0415 - only where it is asked for
    from mattebox.daemon.report.diagnosis import problems  # noqa: PLC0415

    loaded = read_config(context, config)
    return {"config": str(config), "state": str(loaded.state), "problems": problems(loaded)}


def _examine(model: str) -> dict[str, Any]:
    from mattebox.core.network.device import available_cores, usable_kinds  # noqa: PLC0415 - loads arrays
    from mattebox.core.network.dot_products import has_int8_dot_products  # noqa: PLC0415
    from mattebox.core.network.trial import try_devices  # noqa: PLC0415
    from mattebox.models.catalogue import find_salient  # noqa: PLC0415
    from mattebox.models.optimised import find_optimised, was_tried  # noqa: PLC0415
    from mattebox.models.store import Store, is_offline  # noqa: PLC0415

    network = find_salient(model)
    store = Store()
    weights = store.find(network)
    kinds = usable_kinds()
    found = find_optimised(store, network, kinds) if weights is not None else None
    devices = try_devices(network, weights)
    return {
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": _versions(),
        "cores": {"usable": available_cores(), "of_the_machine": os.cpu_count()},
        "int8_dot_products": has_int8_dot_products(),
        "weights": {
            "folder": str(store.folder),
            "offline": is_offline(),
            "network": network.name,
            "here": weights is not None,
            "optimised": found[1].kind if found is not None else None,
            "declined": weights is not None and found is None and was_tried(store, network, kinds),
        },
        "optimised": _gain(network, found, devices),
        "devices": devices,
    }


def _gain(
    network: Network, found: tuple[Path, Record] | None, devices: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """What the network's 8-bit form brings here: milliseconds a picture of both, now, and how near it is."""
    from mattebox.core.errors import InferenceError  # noqa: PLC0415 - loads arrays
    from mattebox.core.network.trial import try_optimised  # noqa: PLC0415

    if found is None:
        return None
    path, record = found
    try:
        taken: float | None = try_optimised(network, path)
    except InferenceError:
        taken = None
    original = next((item["milliseconds"] for item in devices if item["device"] == "cpu"), None)
    return {
        "milliseconds": taken,
        "original_milliseconds": original,
        "iou": round(record.iou, 4),
        "pictures": record.pictures,
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in (*_PACKAGES, *_PACKAGES_REST):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _print(findings: dict[str, Any]) -> None:
    weights, cores = findings["weights"], findings["cores"]
    echo(findings["system"])
    echo("Packages: " + ", ".join(f"{name} {number}" for name, number in findings["packages"].items()))
    echo(f"Cores: {cores['usable']} usable of the machine's {cores['of_the_machine']}")
    state = (
        "here" if weights["here"] else f"not here; 'mattebox models pull {weights['network']}' fetches them"
    )
    echo(f"Weights of {weights['network']}: {state} ({weights['folder']})")
    if weights["optimised"]:
        echo(f"Optimised form: {weights['optimised']}, used on the CPU where precision is auto")
        _print_gain(findings["optimised"])
    elif weights["declined"]:
        echo("8-bit integers: tried here and not kept, for they were no quicker or answered otherwise")
    elif findings["int8_dot_products"] and weights["here"]:
        echo(f"This processor is quick with 8-bit integers: 'mattebox models optimize {weights['network']}'")
    click.echo("Devices:")
    for item in findings["devices"]:
        mark = "used by auto" if item["used"] else "works" if item["works"] else "no"
        speed = f", {item['milliseconds']:.0f} ms a picture" if item["milliseconds"] else ""
        echo(f"  {item['device']:<9} {mark}{speed}{': ' + item['reason'] if item['reason'] else ''}")
    if "hot_folders" in findings:
        folders = findings["hot_folders"]
        echo(f"Hot folders of {folders['config']}: state in {folders['state']}")
        for problem in folders["problems"] or ["nothing is wrong"]:
            echo(f"  {problem}")


def _print_gain(gain: dict[str, Any]) -> None:
    taken, original = gain["milliseconds"], gain["original_milliseconds"]
    if not taken or not original:
        return
    echo(
        f"8-bit integers bring: {taken:.0f} ms a picture for {original:.0f}, {original / taken:.1f} times as "
        f"quick on this processor; IoU {gain['iou']:.3f} with the original on {gain['pictures']} drawn scenes"
    )
