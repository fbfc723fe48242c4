"""Keys and signatures of the provider: SHA256 with RSA (PKCS #1 v1.5) over lines, AES-256-GCM for what notices carry.

The forms are WeChat Pay v3's, with `SANDBOX-RSA2048-SHA256` for its scheme name and `Sandbox-` for its header prefix.
"""

import os
import re
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "SANDBOX-RSA2048-SHA256"
CLOCK_SKEW_S = 300
_FIELDS = re.compile(r'(mchid|nonce_str|timestamp|serial_no|signature)="([^"\\]{1,2048})"')
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()


class Authorization(NamedTuple):
    mchid: str
    nonce_str: str
    timestamp: str
    serial_no: str
    signature: str


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_serial() -> str:
    return secrets.token_hex(20).upper()


def new_api_v3_key() -> str:
    """32 printable characters, used as they stand as the AES-256 key, as with WeChat."""
    return secrets.token_hex(16)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


def public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def load_public(pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    return b64encode(key.sign(message, _PADDING, _HASH)).decode()


def verifies(key: rsa.RSAPublicKey, signature: str, message: bytes) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), message, _PADDING, _HASH)
    except (InvalidSignature, ValueError):
        return False
    return True


def lines(*parts: str | bytes) -> bytes:
    """Each part and a newline after it: what every signature here is made over."""
    return b"".join((p.encode() if isinstance(p, str) else p) + b"\n" for p in parts)


def parse_authorization(header: str) -> Authorization | None:
    """The five fields, each exactly once and nothing else; None for any other text."""
    scheme, _, rest = header.partition(" ")
    if scheme != SCHEME:
        return None
    found = [_FIELDS.fullmatch(part.strip()) for part in rest.split(",")]
    fields = {m[1]: m[2] for m in found if m}
    return Authorization(**fields) if len(found) == 5 == len(fields) else None


def fresh(timestamp: str, now_s: float) -> bool:
    return timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10 and abs(now_s - int(timestamp)) <= CLOCK_SKEW_S


def seal(api_v3_key: str, plain: bytes, associated_data: str, original_type: str) -> dict[str, str]:
    """A notice's `resource`."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return {
        "original_type": original_type,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": b64encode(sealed).decode(),
        "associated_data": associated_data,
        "nonce": nonce,
    }


class Identity:
    """The provider's own key pair, made at the first start and kept in its folder, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        pem = _once(folder / "provider-key.pem", lambda: private_pem(new_key()))
        key = serialization.load_pem_private_key(pem.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.key = key
        self.serial = _once(folder / "provider-serial", new_serial)
        self.admin_token = _once(folder / "admin-token", lambda: secrets.token_urlsafe(32))
        self.public_pem = public_pem(key.public_key())

    def headers(self, body: bytes) -> list[tuple[str, str]]:
        """The four headers that vouch for `body`, an answer's or a notice's."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        return signed_headers(self.key, self.serial, timestamp, nonce, body)


def signed_headers(key: rsa.RSAPrivateKey, serial: str, timestamp: str, nonce: str, body: bytes) -> list[tuple[str, str]]:
    return [
        ("Sandbox-Timestamp", timestamp),
        ("Sandbox-Nonce", nonce),
        ("Sandbox-Serial", serial),
        ("Sandbox-Signature", sign(key, lines(timestamp, nonce, body))),
    ]


def _once(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        fresh_path = path.with_suffix(".new")
        with open(os.open(fresh_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh_path, path)
    return path.read_text()
