"""A tenant's data keys: one seals, one makes fingerprints. Each lies in Postgres wrapped by the master key, which never does.

The master key follows from `Settings.secret`. Wrapping and sealing are AES-256-GCM with a random 96-bit nonce in front of the
ciphertext (NIST SP 800-38D §8.2.2), and with additional data that says whose and what the content is: a row copied to another tenant,
SKU, unit or account does not open. Good for about 2^32 seals under one key; `key_id` lets a newer key take over.
"""

import hmac
import os
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkout_core.errors import AppError
from checkout_core.secrets import derive
from tenants.db import TenantTx

NONCE_BYTES: Final = 12
CACHED_TENANTS_MAX: Final = 4096
PURPOSES: Final = ("fingerprint", "seal")


class SealBroken(AppError):
    """What was sealed does not open: it was changed, moved to another place, or sealed under another secret."""

    status = 500
    code = "seal_broken"


def unit_place(tenant_id: UUID, sku_id: UUID, unit_id: int) -> bytes:
    """The additional data of a unit's code. Every part has a fixed length, so no two places read the same."""
    return b"tessera/unit/1\0" + tenant_id.bytes + sku_id.bytes + unit_id.to_bytes(8, "big")


def account_place(tenant_id: UUID, account_id: UUID) -> bytes:
    """The additional data of a provider account's credentials."""
    return b"tessera/account/1\0" + tenant_id.bytes + account_id.bytes


def _key_place(tenant_id: UUID, purpose: str, key_id: int) -> bytes:
    return b"tessera/key/1\0" + tenant_id.bytes + key_id.to_bytes(2, "big") + purpose.encode()


class TenantKeys:
    """The keys of one tenant, ready for use. Safe to use from several threads."""

    __slots__ = ("_fingerprint", "_seals", "key_id", "tenant_id")

    def __init__(self, tenant_id: UUID, fingerprint: bytes, seals: dict[int, bytes]) -> None:
        self.tenant_id = tenant_id
        self.key_id = max(seals)
        self._fingerprint = fingerprint
        self._seals = {key_id: AESGCM(key) for key_id, key in seals.items()}

    def __repr__(self) -> str:
        return f"TenantKeys({self.tenant_id})"  # never the keys: this may stand in a traceback

    def fingerprint(self, text: str) -> bytes:
        """32 bytes by which a text is known again within its tenant, and from which nobody without the key learns it (HMAC-SHA256)."""
        return hmac.digest(self._fingerprint, text.encode("utf-8", "surrogatepass"), "sha256")

    def seal(self, content: bytes, place: bytes, nonce: bytes | None = None) -> bytes:
        """Nonce and ciphertext under the key `key_id`. A caller in a hurry draws the nonces of many seals at once, each used once."""
        nonce = nonce or os.urandom(NONCE_BYTES)
        return nonce + self._seals[self.key_id].encrypt(nonce, content, place)

    def open_(self, key_id: int, sealed: bytes, place: bytes) -> bytes:
        """The content sealed for `place`. Raises `SealBroken`, which names neither content nor place."""
        seal = self._seals.get(key_id)
        if seal is None:
            raise SealBroken(f"There is no data key {key_id}.")
        try:
            return seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise SealBroken("A sealed value does not open.") from None


class Keyring:
    """Finds, and on first use makes, the keys of tenants. One for each process."""

    def __init__(self, secret: bytes) -> None:
        self._master = AESGCM(derive(secret, "tenant-keys"))
        self._known: dict[UUID, TenantKeys] = {}

    async def of(self, tx: TenantTx) -> TenantKeys:
        """The keys of the transaction's tenant. Keys made by this very transaction are not remembered: it may yet be rolled back."""
        if known := self._known.get(tx.tenant_id):
            return known
        rows = await self._read(tx)
        if missing := set(PURPOSES) - {row["purpose"] for row in rows}:
            await self._make(tx, sorted(missing))
            rows = await self._read(tx)
        keys = self._unwrap(tx.tenant_id, rows)
        if all(row["committed"] for row in rows):
            if len(self._known) >= CACHED_TENANTS_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[tx.tenant_id] = keys
        return keys

    async def _read(self, tx: TenantTx) -> list[dict[str, object]]:
        # now() is when this transaction began, and the default of created_at: rows of its own carry exactly that.
        sql = "SELECT id, purpose, wrapped, created_at <> now() AS committed FROM tenant_key WHERE tenant_id = $1"
        return [dict(row) for row in await tx.conn.fetch(sql, tx.tenant_id)]

    async def _make(self, tx: TenantTx, purposes: list[str]) -> None:
        """Two processes may come here at once: the second waits for the first's commit, keeps its row and forgets its own key."""
        sql = "INSERT INTO tenant_key (tenant_id, id, purpose, wrapped) VALUES ($1, 1, $2, $3) ON CONFLICT DO NOTHING"
        for purpose in purposes:
            nonce = os.urandom(NONCE_BYTES)
            wrapped = nonce + self._master.encrypt(nonce, AESGCM.generate_key(256), _key_place(tx.tenant_id, purpose, 1))
            await tx.conn.execute(sql, tx.tenant_id, purpose, wrapped)

    def _unwrap(self, tenant_id: UUID, rows: list[dict[str, object]]) -> TenantKeys:
        plain: dict[str, dict[int, bytes]] = {purpose: {} for purpose in PURPOSES}
        for row in rows:
            purpose, key_id, wrapped = str(row["purpose"]), row["id"], row["wrapped"]
            assert isinstance(key_id, int)
            assert isinstance(wrapped, bytes)
            try:
                key = self._master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _key_place(tenant_id, purpose, key_id))
            except InvalidTag:
                raise SealBroken("A data key does not unwrap: TESSERA_SECRET is not the one it was wrapped under.") from None
            plain[purpose][key_id] = key
        # Fingerprints must compare across all of a tenant's codes, so their key is the first one for ever.
        return TenantKeys(tenant_id, plain["fingerprint"][min(plain["fingerprint"])], plain["seal"])
