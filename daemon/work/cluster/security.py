"""Distributed's Security from a folder of certificates: who may talk to a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mattebox.daemon.config.cluster import AUTHORITY, CERTIFICATE, KEY
from mattebox.daemon.work.cluster.library import ClusterError, load

if TYPE_CHECKING:
    from mattebox.daemon.config.cluster import Certificates


def security(certificates: Certificates | None) -> Any:
    """Distributed's Security for the certificates, or for loopback without. Raises ClusterError."""
    distributed = load()
    if certificates is None:
        return distributed.Security(require_encryption=False)
    lost = certificates.missing()
    if lost is not None:
        raise ClusterError(f"{lost}.")
    files = {
        "cert": os.fspath(certificates.folder / CERTIFICATE),
        "key": os.fspath(certificates.folder / KEY),
    }
    roles = {
        f"tls_{role}_{kind}": file
        for role in ("client", "scheduler", "worker")
        for kind, file in files.items()
    }
    return distributed.Security(
        require_encryption=True, tls_ca_file=os.fspath(certificates.folder / AUTHORITY), **roles
    )
