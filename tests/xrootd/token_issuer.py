"""An issuer of tokens (JWT) that a real XRootD server believes, without a network."""

import base64
import json
import os
import shutil
import sqlite3
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.example.org"


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self) -> str:
        now = int(time.time())
        told = {"iss": ISSUER, "sub": "us", "aud": "here", "iat": now, "nbf": now, "exp": now + 600}
        told |= {"ver": "scitoken:2.0", "scope": "read:/"}
        parts = [_text(json.dumps(part).encode()) for part in ({"alg": "ES256", "kid": "k", "typ": "JWT"}, told)]
        numbers = decode_dss_signature(self._key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256())))
        return ".".join([*parts, _text(b"".join(number.to_bytes(32) for number in numbers))])

    def believed(self, cache: Path) -> str:
        """The lines of a server that believes it; `cache` is to be the server's XDG_CACHE_HOME.

        The public key is put where the server's library keeps those that it has asked for.
        """
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k"}
        key |= {"x": _text(numbers.x.to_bytes(32)), "y": _text(numbers.y.to_bytes(32))}
        later = int(time.time()) + 86400
        known = {"jwks": {"keys": [key]}, "expires": later, "next_update": later}
        (cache / "scitokens").mkdir(parents=True)
        with sqlite3.connect(cache / "scitokens" / "scitokens_cpp.sqllite") as database:
            database.execute("CREATE TABLE keycache (issuer text UNIQUE PRIMARY KEY NOT NULL, keys text NOT NULL)")
            database.execute("INSERT INTO keycache VALUES (?, ?)", (ISSUER, json.dumps(known)))
        database.close()
        (cache / "scitokens.cfg").write_text(
            f"[Global]\naudience = here\n[Issuer us]\nissuer = {ISSUER}\nbase_path = /\n"
        )
        for path in (cache, *cache.rglob("*")) if os.geteuid() == 0 else ():
            shutil.chown(path, "xrootd", "xrootd")
        return f"ofs.authorize 1\nofs.authlib libXrdAccSciTokens.so config={cache / 'scitokens.cfg'}\n"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
