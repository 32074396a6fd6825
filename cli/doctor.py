"""`mattebox doctor`: what this computer offers, and whether it is used."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import click

from mattebox.cli.echo import echo

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
    from mattebox.core.network.device import available_cores  # noqa: PLC0415 - loads arrays
    from mattebox.core.network.dot_products import has_int8_dot_products  # noqa: PLC0415
    from mattebox.core.network.trial import try_devices  # noqa: PLC0415
    from mattebox.models.catalogue import find_salient  # noqa: PLC0415
    from mattebox.models.optimised import find_optimised  # noqa: PLC0415
    from mattebox.models.store import Store, is_offline  # noqa: PLC0415

    network = find_salient(model)
    store = Store()
    weights = store.find(network)
    optimised = find_optimised(store, network) if weights is not None else None
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
            "optimised": optimised[1].kind if optimised is not None else None,
        },
        "devices": try_devices(network, weights),
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
