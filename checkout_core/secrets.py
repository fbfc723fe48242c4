"""Keys derived from one root secret, one for each purpose (HKDF-SHA256, RFC 5869), and the MACs made with them."""

import hmac
from hashlib import sha256


def derive(root: bytes, purpose: str) -> bytes:
    """32 bytes for `purpose`. Expand step of HKDF with an empty salt: the root is already uniformly random."""
    prk = hmac.digest(b"\0" * 32, root, sha256)
    return hmac.digest(prk, purpose.encode() + b"\x01", sha256)


def mac128(key: bytes, *parts: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA256 over length-prefixed `parts`: no two lists of parts share an input."""
    return hmac.digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")[:16]
