"""A PostgreSQL server of the tests that speaks TLS."""

import datetime
import os
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from postgresql import PostgreSQL

_PEM = serialization.Encoding.PEM


def certificate() -> tuple[bytes, bytes]:
    """(certificate, private key) of localhost for a day, by which nobody is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(_PEM), plain


def encrypt(server: PostgreSQL) -> None:
    """From now on the server encrypts connections that ask for it, as PostgreSQL's clients do by themselves."""
    with server.connect() as connection:
        [folder] = connection.execute("SHOW data_directory").fetchone()
        for file, content in zip(("server.crt", "server.key"), certificate(), strict=True):
            path = Path(folder, file)
            path.write_bytes(content)
            path.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(path, "nobody", "nogroup")
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")
