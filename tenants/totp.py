"""The second factor: codes from an app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s), and recovery codes for the day the phone is lost.

The secret lies sealed under a key derived from `TESSERA_SECRET`, for its owner only. A code is good one step (30 s) early and late
(RFC 6238 §5.2), and once: the newest step that was used is kept, and nothing up to it is taken again.
"""

import hmac
import os
import re
import secrets
import time
from typing import Final, NamedTuple
from uuid import UUID

import pyotp
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkout_core.errors import Conflict, Unprocessable
from checkout_core.secrets import derive
from tenants.db import Connection

ISSUER: Final = "Tessera"
STEP_S: Final = 30
DRIFT_STEPS: Final = 1  # clocks that are half a minute apart still agree
NONCE_BYTES: Final = 12
RECOVERY_CODES: Final = 10
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read for another; ten of them are 49 bits
_DIGITS = re.compile(r"[0-9]{6}")


class Enrolment(NamedTuple):
    """What an app is told: `uri` as a QR code, or `secret` typed in."""

    secret: str
    uri: str


class Seals:
    """Seals secrets of one kind of people (`totp`: merchants'; `platform-totp`), each for its owner, under a key of the kind."""

    def __init__(self, secret: bytes, kind: str) -> None:
        self._key = AESGCM(derive(secret, kind))
        self._kind = kind

    def seal(self, owner: UUID, secret: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, secret.encode(), self._place(owner))

    def open_(self, owner: UUID, sealed: bytes) -> str:
        return self._key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(owner)).decode()

    def _place(self, owner: UUID) -> bytes:
        return f"tessera/{self._kind}/1\0".encode() + owner.bytes


class Totp:
    """Merchants' second factors. One per process."""

    def __init__(self, secret: bytes) -> None:
        self._seals = Seals(secret, "totp")
        self._pepper = derive(secret, "recovery-codes")

    async def enrol(self, conn: Connection, user_id: UUID) -> Enrolment:
        """A new secret, which does nothing before `confirm`. Raises `Conflict` when there is one that does."""
        secret = new_secret()
        sql = """INSERT INTO merchant_totp (user_id, sealed) VALUES ($1, $2)
                 ON CONFLICT (user_id) DO UPDATE SET sealed = $2, last_step = 0
                 WHERE merchant_totp.confirmed_at IS NULL RETURNING user_id"""
        if await conn.fetchval(sql, user_id, self._seals.seal(user_id, secret)) is None:
            raise Conflict("Two-step sign-in is on already. Switch it off first.", code="totp_enabled")
        mail = await conn.fetchval("SELECT mail FROM merchant_user WHERE id = $1", user_id)
        return Enrolment(secret, uri(secret, mail, ISSUER))

    async def confirm(self, conn: Connection, user_id: UUID, code: str) -> list[str] | None:
        """Switch it on, with a code that shows that the app has it: the recovery codes, shown once. None for a wrong code.

        Raises `Conflict` when there is nothing to confirm.
        """
        sql = "SELECT true FROM merchant_totp WHERE user_id = $1 AND confirmed_at IS NULL FOR UPDATE"
        if not await conn.fetchval(sql, user_id):
            raise Conflict("There is no second factor waiting to be confirmed. Enrol first.", code="totp_not_enrolled")
        if not await self._accepts_digits(conn, user_id, code):
            return None
        await conn.execute("UPDATE merchant_totp SET confirmed_at = now() WHERE user_id = $1", user_id)
        codes = ["-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)]
        await conn.execute("DELETE FROM merchant_recovery_code WHERE user_id = $1", user_id)
        sql = "INSERT INTO merchant_recovery_code (user_id, code_hash) SELECT $1, unnest($2::bytea[])"
        await conn.execute(sql, user_id, [self._hash(user_id, each) for each in codes])
        return codes

    async def accepts(self, conn: Connection, user_id: UUID, code: str) -> bool:
        """Whether `code` is good now: of the app, or a recovery code, which is thereby used up."""
        if _DIGITS.fullmatch(code):
            return await self._accepts_digits(conn, user_id, code)
        sql = "DELETE FROM merchant_recovery_code WHERE user_id = $1 AND code_hash = $2 RETURNING user_id"
        return await conn.fetchval(sql, user_id, self._hash(user_id, code)) is not None

    async def disable(self, conn: Connection, user_id: UUID) -> None:
        await conn.execute("DELETE FROM merchant_recovery_code WHERE user_id = $1", user_id)
        await conn.execute("DELETE FROM merchant_totp WHERE user_id = $1", user_id)

    async def _accepts_digits(self, conn: Connection, user_id: UUID, code: str) -> bool:
        sealed = await conn.fetchval("SELECT sealed FROM merchant_totp WHERE user_id = $1", user_id)
        if sealed is None:
            return False
        step = step_of(self._seals.open_(user_id, sealed), code)
        if step is None:
            return False
        sql = "UPDATE merchant_totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2 RETURNING user_id"
        return await conn.fetchval(sql, user_id, step) is not None

    def _hash(self, user_id: UUID, code: str) -> bytes:
        """Keyed: 49 bits could be guessed from a stolen table. Typed in any case, with or without the dash."""
        plain = code.lower().replace("-", "").replace(" ", "")
        return hmac.digest(self._pepper, user_id.bytes + plain.encode(), "sha256")


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 §4 recommends."""
    return pyotp.random_base32(32)


def uri(secret: str, mail: str, issuer: str) -> str:
    """What an app reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=mail, issuer_name=issuer)


def step_of(secret: str, code: str, after_step: int = 0, now_s: float | None = None) -> int | None:
    """The time step that `code` belongs to, if that is about now and later than `after_step`; else None.

    A code is taken once (RFC 6238 §5.2): the caller keeps the step, and takes none up to it again.
    """
    now = int((time.time() if now_s is None else now_s) // STEP_S)
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        # All are compared, whichever fits.
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step).encode(), code.encode()) and step > after_step:
            found = step
    return found


def wrong_code() -> Unprocessable:
    return Unprocessable("This code is wrong, or was used already. Wait for the next one.", code="wrong_code")
