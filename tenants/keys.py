"""A tenant's data keys: one seals, one makes fingerprints. Each lies in Postgres wrapped by a master key, which never does.

Master keys are configured; the one numbered 0 follows from `Settings.secret`. Wrapping and sealing are AES-256-GCM with a random 96-bit
nonce in front of the ciphertext (NIST SP 800-38D §8.2.2), and with additional data that says whose and what the content is: a row copied
to another tenant, SKU, unit or account does not open. Good for about 2^32 seals under one key; a newer one takes over by a rotation
(`tenants.rotations`), during which there are two.

Whoever seals holds a place in the tenant's line until his transaction ends, and a newer key is made only when the line is empty: once it
is there nothing can be sealed under the one before, so that what is still to be sealed anew only grows less.
"""

import hmac
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkout_core import safeties
from checkout_core.errors import AppError
from checkout_core.secrets import derive
from tenants.db import TenantTx

NONCE_BYTES: Final = 12
CACHED_TENANTS_MAX: Final = 4096
PURPOSES: Final = ("fingerprint", "seal")
OF_SECRET: Final = 0  # the master key that follows from `Settings.secret`
_LINE: Final = "hashtextextended($1, 0)"


class SealBroken(AppError):
    """What was sealed does not open: it was changed, moved to another place, or sealed under another secret."""

    status = 500
    code = "seal_broken"


def unit_place(tenant_id: UUID, sku_id: UUID, unit_id: int) -> bytes:
    """The additional data of a unit's code. Every part has a fixed length, so no two places read the same."""
    return b"tessera/unit/1\0" + tenant_id.bytes + sku_id.bytes + unit_id.to_bytes(8, "big")


def input_place(tenant_id: UUID, order_id: UUID, sale_id: UUID) -> bytes:
    """The additional data of what a shopper said of a line of his order."""
    return b"tessera/input/1\0" + tenant_id.bytes + order_id.bytes + sale_id.bytes


def fulfilment_place(tenant_id: UUID, fulfilment_id: UUID) -> bytes:
    """The additional data of what a shopper is told of a line that was fulfilled."""
    return b"tessera/fulfilment/1\0" + tenant_id.bytes + fulfilment_id.bytes


def account_place(tenant_id: UUID, account_id: UUID) -> bytes:
    """The additional data of a provider account's credentials."""
    return b"tessera/account/1\0" + tenant_id.bytes + account_id.bytes


def webhook_place(tenant_id: UUID, endpoint_id: UUID) -> bytes:
    """The additional data of a webhook endpoint's secret."""
    return b"tessera/webhook/1\0" + tenant_id.bytes + endpoint_id.bytes


def qualification_place(tenant_id: UUID, qualification_id: UUID) -> bytes:
    """The additional data of what a qualification says."""
    return b"tessera/qualification/1\0" + tenant_id.bytes + qualification_id.bytes


def document_place(tenant_id: UUID, qualification_id: UUID, document_id: UUID) -> bytes:
    """The additional data of a qualification's document."""
    return b"tessera/document/1\0" + tenant_id.bytes + qualification_id.bytes + document_id.bytes


def archive_place(tenant_id: UUID, request_id: UUID, number: int) -> bytes:
    """The additional data of a part of an archive; of what an erasure looks for, with the number -1."""
    return b"tessera/archive/1\0" + tenant_id.bytes + request_id.bytes + number.to_bytes(4, "big", signed=True)


def _key_place(tenant_id: UUID, purpose: str, key_id: int) -> bytes:
    return b"tessera/key/1\0" + tenant_id.bytes + key_id.to_bytes(2, "big") + purpose.encode()


class TenantKeys:
    """The keys of one tenant by their ids; the newest of each purpose is the one in use. Safe to use from several threads."""

    __slots__ = ("_fingerprints", "_seals", "fingerprint_key_id", "key_id", "tenant_id")

    def __init__(self, tenant_id: UUID, fingerprints: Mapping[int, bytes], seals: Mapping[int, bytes]) -> None:
        self.tenant_id = tenant_id
        self.key_id = max(seals)
        self.fingerprint_key_id = max(fingerprints)
        self._fingerprints = dict(sorted(fingerprints.items(), reverse=True))
        self._seals = {key_id: AESGCM(key) for key_id, key in seals.items()}

    def __repr__(self) -> str:
        return f"TenantKeys({self.tenant_id})"  # never the keys: this may stand in a traceback

    def fingerprint(self, text: str, key_id: int | None = None) -> bytes:
        """32 bytes by which a text is known again within its tenant, and from which nobody without the key learns it (HMAC-SHA256).

        Under the key `key_id`, the newest unless given. Raises `SealBroken` when there is no such key.
        """
        key = self._fingerprints.get(self.fingerprint_key_id if key_id is None else key_id)
        if key is None:
            raise SealBroken(f"There is no fingerprint key {key_id}.")
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")

    def fingerprints(self, text: str) -> list[bytes]:
        """Under each key there is, the newest first: while keys are rotated a code in the vault bears one of them."""
        if not safeties.on("each_fingerprint"):
            return [self.fingerprint(text)]
        return [self.fingerprint(text, key_id) for key_id in self._fingerprints]

    @property
    def in_use(self) -> tuple[int, int]:
        """The ids of the keys that seal and make fingerprints."""
        return self.key_id, self.fingerprint_key_id

    def has(self, key_ids: Collection[int]) -> bool:
        """Whether what was sealed under these keys can be opened."""
        return self._seals.keys() >= set(key_ids)

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


class Masters:
    """The keys that data keys are wrapped by: each unwraps, the one listed last wraps.

    `named` are ids with their keys, as `Settings.master_keys` has them. The key 0 follows from `secret`, and is there listed or not.
    """

    def __init__(self, secret: bytes, named: Sequence[tuple[int, bytes]] = ()) -> None:
        keys = dict(named) | {OF_SECRET: derive(secret, "tenant-keys")}
        self._keys = {master_id: AESGCM(key) for master_id, key in keys.items()}
        self.current = named[-1][0] if named else OF_SECRET

    def wrap(self, key: bytes, tenant_id: UUID, purpose: str, key_id: int) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys[self.current].encrypt(nonce, key, _key_place(tenant_id, purpose, key_id))

    def unwrap(self, master_id: int, wrapped: bytes, tenant_id: UUID, purpose: str, key_id: int) -> bytes:
        """Raises `SealBroken`, which says which master key is missing or is another."""
        master = self._keys.get(master_id)
        if master is None:
            raise SealBroken(f"A data key is wrapped by the master key {master_id}, which TESSERA_MASTER_KEYS does not list.")
        try:
            return master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _key_place(tenant_id, purpose, key_id))
        except InvalidTag:
            of = "TESSERA_SECRET" if master_id == OF_SECRET else f"The master key {master_id}"
            raise SealBroken(f"A data key does not unwrap: {of} is not the one it was wrapped under.") from None


class Keyring:
    """Finds, and on first use makes, the keys of tenants. One for each process."""

    def __init__(self, secret: bytes, master_keys: Sequence[tuple[int, bytes]] = ()) -> None:
        self._masters = Masters(secret, master_keys)
        self._known: dict[UUID, TenantKeys] = {}

    async def of(self, tx: TenantTx) -> TenantKeys:
        """The keys of the transaction's tenant as they are now, and stay until it ends: for whoever seals, or compares fingerprints.

        Takes two round trips. Raises `Unavailable` when a rotation is being begun for longer than we wait.
        """
        if safeties.on("key_line"):
            await tx.conn.execute(f"SELECT pg_advisory_xact_lock_shared({_LINE})", _line(tx))
        # A statement of its own: it sees whatever was committed while we stood in line.
        return await self._found(tx)

    async def to_open(self, tx: TenantTx, *key_ids: int) -> TenantKeys:
        """Keys that open what is sealed under `key_ids`, from memory when it holds them. For whoever has read the rows, and only opens.

        A key that is not in use any more stays for a minute after the last row was sealed anew: longer than a transaction lasts.
        """
        known = self._known.get(tx.tenant_id)
        return known if known is not None and known.has(key_ids) else await self._found(tx)

    async def renew(self, tx: TenantTx, purposes: Collection[str]) -> dict[str, int]:
        """Make a newer key for each of `purposes`; their ids. From the commit on it is the one in use, in every process."""
        if safeties.on("key_line"):
            await tx.conn.execute(f"SELECT pg_advisory_xact_lock({_LINE})", _line(tx))
        newest = dict.fromkeys(PURPOSES, 0)
        for row in await self._read(tx):
            newest[row["purpose"]] = max(newest[row["purpose"]], row["id"])
        made = {purpose: newest[purpose] + 1 for purpose in PURPOSES if purpose in purposes or not newest[purpose]}
        await self._make(tx, made)
        return {purpose: made[purpose] for purpose in purposes}

    async def _found(self, tx: TenantTx) -> TenantKeys:
        """As Postgres has them. Keys made by this very transaction are not remembered: it may yet be rolled back."""
        rows = await self._read(tx)
        if missing := set(PURPOSES) - {row["purpose"] for row in rows}:
            await self._make(tx, dict.fromkeys(sorted(missing), 1))
            rows = await self._read(tx)
        keys = self._unwrap(tx.tenant_id, rows)
        if all(row["committed"] for row in rows):
            self._known.pop(tx.tenant_id, None)
            if len(self._known) >= CACHED_TENANTS_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[tx.tenant_id] = keys
        return keys

    async def _read(self, tx: TenantTx) -> list[Any]:
        # now() is when this transaction began, and the default of created_at: rows of its own carry exactly that.
        sql = "SELECT id, purpose, wrapped, master_id, created_at <> now() AS committed FROM tenant_key WHERE tenant_id = $1"
        rows: list[Any] = await tx.conn.fetch(sql, tx.tenant_id)
        return rows

    async def _make(self, tx: TenantTx, ids: Mapping[str, int]) -> None:
        """Two processes may come here at once: the second waits for the first's commit, keeps its row and forgets its own key."""
        sql = "INSERT INTO tenant_key (tenant_id, id, purpose, wrapped, master_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        for purpose, key_id in ids.items():
            wrapped = self._masters.wrap(AESGCM.generate_key(256), tx.tenant_id, purpose, key_id)
            await tx.conn.execute(sql, tx.tenant_id, key_id, purpose, wrapped, self._masters.current)

    def _unwrap(self, tenant_id: UUID, rows: list[Any]) -> TenantKeys:
        plain: dict[str, dict[int, bytes]] = {purpose: {} for purpose in PURPOSES}
        for row in rows:
            key = self._masters.unwrap(row["master_id"], row["wrapped"], tenant_id, row["purpose"], row["id"])
            plain[row["purpose"]][row["id"]] = key
        return TenantKeys(tenant_id, plain["fingerprint"], plain["seal"])


def _line(tx: TenantTx) -> str:
    return f"{tx.tenant_id}:keys"
