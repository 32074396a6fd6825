"""A cluster's address and certificates, as far as they can be judged without any of it running."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

# The names in a folder of certificates, as `mattebox cluster certs` writes them.
AUTHORITY: Final = "ca.pem"
CERTIFICATE: Final = "cluster.pem"
KEY: Final = "cluster-key.pem"


@dataclass(frozen=True, slots=True)
class Certificates:
    """A folder with the cluster's authority, its certificate and its key."""

    folder: Path

    def missing(self) -> str | None:
        """What is not there, as a sentence."""
        lost = [name for name in (AUTHORITY, CERTIFICATE, KEY) if not (self.folder / name).is_file()]
        if not lost:
            return None
        return (
            f"{self.folder}: what a cluster needs is missing ({', '.join(lost)}); "
            "'mattebox cluster certs FOLDER' makes the files, and every machine needs the same ones"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_problem(address: str, certificates: Certificates | None) -> str | None:
    """Why a scheduler's address cannot be used, or None."""
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("tcp", "tls") or not host or not port or parts.path:
        return f"{address}: write the scheduler as tls://HOST:PORT"
    if scheme == "tcp":
        if not is_loopback(host):
            return (
                f"{address}: whoever reaches a scheduler runs any code on its workers; "
                "beyond this machine only tls:// with certificates is used ('mattebox cluster certs')"
            )
        return None
    if certificates is None:
        return f"{address}: tls:// needs certificates: ('mattebox cluster certs FOLDER' makes them)"
    return certificates.missing()
