"""The cluster's own certificates: one authority that signs one certificate, and is then forgotten."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import reason_of
from mattebox.core.extra import install_command
from mattebox.daemon.config.cluster import AUTHORITY, CERTIFICATE, KEY
from mattebox.daemon.work.cluster.library import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

# Clocks of a cluster's machines may differ.
_SLACK: Final = dt.timedelta(hours=25)


def make_certificates(folder: Path, days: int) -> None:
    """Write an authority, a certificate that it signed, and the certificate's key (mode 0600) into a folder.

    Elliptic curve P-256; whoever holds the key belongs to the cluster. The authority's own key is written
    nowhere, so that nobody can add a second certificate. Raises ClusterError where the folder has some
    already, or refuses.
    """
    try:
        from cryptography import x509  # noqa: PLC0415 - of the extra `cluster`
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"Certificates need the package cryptography: {install_command('cluster')}"
        ) from error

    now = dt.datetime.now(dt.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def name(text: str) -> Any:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject: str, public: Any) -> Any:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Mattebox cluster authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(now + dt.timedelta(days=days))
        )

    authority = (
        certificate("Mattebox cluster authority", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(x509, signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    member = (
        certificate("Mattebox cluster member", key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(x509, signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("mattebox-cluster")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    _write(
        folder, {KEY: secret, CERTIFICATE: member.public_bytes(pem), AUTHORITY: authority.public_bytes(pem)}
    )


def _usage(x509: Any, *, signs_certificates: bool) -> Any:
    """What a key is for (RFC 5280, 4.2.1.3)."""
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    no = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not signs_certificates, key_cert_sign=signs_certificates, **no)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in files.items():
            mode = 0o600 if name == KEY else 0o644
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
    except FileExistsError as error:
        raise ClusterError(
            f"{folder}: certificates are there already; name a new folder, or remove them to begin anew."
        ) from error
    except OSError as error:
        raise ClusterError(f"{folder}: the certificates cannot be written ({reason_of(error)}).") from error
