"""From a configuration to the pool of a cluster."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from mattebox.core.network.device import available_cores
from mattebox.daemon.config.cluster import Certificates
from mattebox.daemon.config.planning import all_cuts, worker_folders
from mattebox.daemon.work.cluster.hands import Needs
from mattebox.daemon.work.cluster.handshake import Place
from mattebox.daemon.work.cluster.pool import ClusterPool
from mattebox.daemon.work.cluster.security import security
from mattebox.daemon.work.sizing import choose_sizing, free_memory
from mattebox.daemon.work.workers import RunningPool, Workers

if TYPE_CHECKING:
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Events
    from mattebox.daemon.inbox import Inbox


def start_cluster(
    loaded: LoadedConfig, inbox: Inbox, events: Events, kind: type[ClusterPool] = ClusterPool
) -> RunningPool:
    """The hands of a cluster; looks into files stay with a few workers here. Raises ClusterError."""
    engine = loaded.config.engine
    secured = security(None if engine.certificates is None else Certificates(engine.certificates))
    sizing = choose_sizing("auto", engine.memory, 0, available_cores(), free_memory())
    events.emit("workers", workers="dask", scheduler=engine.scheduler, looking=sizing.workers, why=sizing.why)
    local = Workers(inbox, workers=sizing.workers, threads=1, device="cpu", memory=sizing.memory)
    places = tuple(Place(folder, writes) for folder, writes in worker_folders(loaded).items())
    daemon = hashlib.sha256(os.fsencode(loaded.state.resolve())).hexdigest()[:8]
    needs = Needs(daemon, tuple(all_cuts(loaded.config)), places, engine.resources)
    pool = kind(inbox, local=local, scheduler=engine.scheduler or "", security=secured, needs=needs)
    return RunningPool(pool, lambda: pool.capacity, pool.now)
