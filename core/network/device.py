"""What this machine offers to networks: cores that are really ours, and the devices of onnxruntime."""

from __future__ import annotations

import hashlib
import math
import os
import platform
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from mattebox.core.extra import pip
from mattebox.core.network.dot_products import has_int8_dot_products

Device = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"]
DEVICES: Final[tuple[Device, ...]] = get_args(Device)

# onnxruntime's name of each device, and the command that installs a build which has it.
PROVIDERS: Final[dict[str, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
INSTALL: Final[dict[str, str]] = {
    "cuda": f"{pip()} uninstall -y onnxruntime && {pip()} install onnxruntime-gpu",
    "tensorrt": f"{pip()} uninstall -y onnxruntime && {pip()} install onnxruntime-gpu",
    "coreml": "use onnxruntime's own wheel for macOS",
    "directml": f"{pip()} uninstall -y onnxruntime && {pip()} install onnxruntime-directml",
    "openvino": f"{pip()} install openvino",
}
# What `auto` tries, best first. TensorRT builds an engine for minutes and OpenVINO is another library
# with other roundings: both only where they are asked for by name.
AUTOMATIC: Final = ("cuda", "coreml", "directml", "cpu")


def available_cores(root: Path = Path("/")) -> int:
    """The cores that this process may use: the least of affinity and cgroup quota, at least 1.

    A container's quota of 1.5 cores counts as 2. `root` is where /proc and /sys are looked for.
    Source: the kernel's admin-guide/cgroup-v2 (cpu.max) and scheduler/sched-bwc (cpu.cfs_quota_us).
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    quotas = [*_quotas_v2(root), *_quotas_v1(root)]
    return max(1, min([cores, *(math.ceil(quota) for quota in quotas)]))


def _quotas_v2(root: Path) -> list[float]:
    """Cores that cpu.max allows, for our group and each of its parents."""
    found = []
    for group in _own_groups(root, ""):
        for folder in (group, *group.parents):
            text = _text(root / "sys/fs/cgroup" / folder / "cpu.max").split()
            if len(text) == 2 and text[0] != "max":
                found.append(int(text[0]) / int(text[1]))
    return found


def _quotas_v1(root: Path) -> list[float]:
    found = []
    for group in (*_own_groups(root, "cpu"), Path()):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota and period and int(quota) > 0:
            found.append(int(quota) / int(period))
    return found


def _own_groups(root: Path, controller: str) -> list[Path]:
    groups = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if controller in controllers.split(","):
            groups.append(Path(group.lstrip("/")))
    return groups


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


@cache
def cpu_identity() -> str:
    """Eight hexadecimal digits that change with the kind of processor and its instruction sets."""
    facts = {platform.system(), platform.machine(), platform.processor()}
    lines = {line for line in _text(Path("/proc/cpuinfo")).splitlines() if line.startswith(_KIND)}
    # macOS calls every Intel processor "i386"; OpenCV asks the processor itself.
    facts |= lines or {_instruction_sets()}
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()[:8]


def _instruction_sets() -> str:
    import cv2  # noqa: PLC0415 - this module is imported by commands that need no arrays

    return cv2.getCPUFeaturesLine()


_KIND: Final = ("model name", "flags", "Features", "CPU part", "CPU implementer")


def usable_kinds() -> tuple[str, ...]:
    """The kinds of optimised networks that this processor may use, best first."""
    return ("int8-dot", "int8") if has_int8_dot_products() else ("int8",)
