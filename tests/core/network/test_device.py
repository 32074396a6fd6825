"""The cores that are really ours, by affinity and by every kind of cgroup."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import pytest

from mattebox.core.network import device

if TYPE_CHECKING:
    from pathlib import Path


def tree(root: Path, files: dict[str, str]) -> Path:
    """A root with these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 16),
        ({"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "400000 100000\n"}, 4),
        ({"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "max 100000\n"}, 16),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/box\n0::/\n",
                "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/elsewhere\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "500000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            5,
        ),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 16),
    ],
    ids=["none", "v2", "v2-part", "v2-max", "v2-parent", "v2-root", "v1", "v1-root", "v1-none"],
)
def test_cores_follow_the_cgroup(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    """A quota of this group or of any parent bounds the cores; parts of a core count as one."""
    assert device.available_cores(tree(tmp_path, files)) == cores


def test_affinity_bounds_a_generous_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three cores of affinity are three cores, whatever the quota says."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 4, 7}, raising=False)
    files = {"proc/self/cgroup": "0::/b\n", "sys/fs/cgroup/b/cpu.max": "900000 100000\n"}
    assert device.available_cores(tree(tmp_path, files)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_a_process_bound_to_one_core_counts_one() -> None:
    """A real process that is bound to one core sees one core."""
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from mattebox.core.network.device import available_cores; print(available_cores())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "1"


def test_identity_of_the_processor_is_stable() -> None:
    """Two processes on one machine agree about the processor."""
    code = "from mattebox.core.network.device import cpu_identity; print(cpu_identity())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == device.cpu_identity()
    assert len(device.cpu_identity()) == 8


def test_identity_tells_processors_apart_without_cpuinfo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell the processor's kind, its instruction sets do."""
    monkeypatch.setattr(device, "_text", lambda _: "")
    found = set()
    for line in ("SSE *AVX2 *AVX512-SKX?", "SSE *AVX2 *AVX512-SKX"):
        monkeypatch.setattr(cv2, "getCPUFeaturesLine", lambda line=line: line)
        device.cpu_identity.cache_clear()
        found.add(device.cpu_identity())
    device.cpu_identity.cache_clear()
    assert len(found) == 2
