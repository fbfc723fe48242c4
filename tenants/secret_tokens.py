"""Tokens that are shown once and kept as a hash: of sessions, proofs, invitations and enrolments."""

import hashlib
import secrets


def new(prefix: str = "") -> str:
    """`prefix` and 256 random bits, 43 characters."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """32 bytes. What has 256 random bits needs no slow hash: it cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()
