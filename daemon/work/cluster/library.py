"""Dask, held to what is asked of it: no pages, no spilling, no profiles, no second guesses about jobs.

Whoever needs distributed takes it from `load()`, which binds it before anything of it runs.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import MatteboxError
from mattebox.core.extra import install_command

if TYPE_CHECKING:
    from types import ModuleType

# What distributed (2026.8) does by itself and shall not: HTTP pages, disks as a second memory, statistical
# profiles, looks at graphics cards, running a job again that has killed its worker, moving jobs about.
SETTINGS: Final[dict[str, Any]] = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.diagnostics.nvml": False,
    "distributed.diagnostics.computations.nframes": 0,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.timeouts.tcp": "30s",
    "distributed.comm.retry.count": 0,
    "distributed.scheduler.preload": [],
    "distributed.worker.preload": [],
    "distributed.client.preload": [],
}


class ClusterError(MatteboxError):
    """The cluster cannot be used: a package, a certificate or an address is not right."""


def load() -> ModuleType:
    """The package distributed, bound. Raises ClusterError where it is not installed."""
    # A file is no folder of settings: what other programs of the user say to Dask is not meant for us.
    os.environ["DASK_CONFIG"] = os.devnull
    try:
        dask = importlib.import_module("dask")
        distributed = importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"workers: dask needs the package distributed: {install_command('cluster')}"
        ) from error
    dask.config.set(SETTINGS)
    # Its words are for those who run Dask itself; what matters here is told by us. It gives loggers below
    # its own ones levels of theirs as it is imported.
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    for name in ("distributed", "tornado.application", *known):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # Other versions are told of by the handshake.
    warnings.filterwarnings("ignore", category=distributed.versions.VersionMismatchWarning)
    return distributed
