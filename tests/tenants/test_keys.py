"""Data keys: made once, found by everybody, opened by nobody else."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.db import tenant_tx
from tenants.keys import Keyring, SealBroken, TenantKeys, account_place, unit_place
from tests.shop import Store

TENANT, OTHER = UUID(int=1), UUID(int=2)
KEYS = TenantKeys(TENANT, {1: b"f" * 32}, {1: b"1" * 32})


class TestSeal:
    PLACE = unit_place(TENANT, UUID(int=7), 1)

    def test_opens_where_it_belongs(self) -> None:
        assert KEYS.open_(1, KEYS.seal(b"AAAA-1", self.PLACE), self.PLACE) == b"AAAA-1"

    @pytest.mark.parametrize(
        "place",
        [
            unit_place(OTHER, UUID(int=7), 1),
            unit_place(TENANT, UUID(int=8), 1),
            unit_place(TENANT, UUID(int=7), 2),
            account_place(TENANT, UUID(int=7)),
            b"",
        ],
    )
    def test_does_not_open_elsewhere(self, place: bytes) -> None:
        with pytest.raises(SealBroken):
            KEYS.open_(1, KEYS.seal(b"AAAA-1", self.PLACE), place)

    @pytest.mark.parametrize("at", [0, 11, 12, 17, -1])
    def test_does_not_open_when_a_bit_is_changed(self, at: int) -> None:
        sealed = bytearray(KEYS.seal(b"AAAA-1", self.PLACE))
        sealed[at] ^= 1
        with pytest.raises(SealBroken):
            KEYS.open_(1, bytes(sealed), self.PLACE)

    @pytest.mark.parametrize("sealed", [b"", b"short", bytes(12), bytes(28)])
    def test_what_is_no_seal(self, sealed: bytes) -> None:
        with pytest.raises(SealBroken):
            KEYS.open_(1, sealed, self.PLACE)

    def test_never_the_same_twice(self) -> None:
        assert len({KEYS.seal(b"AAAA-1", self.PLACE)[:12] for _ in range(1000)}) == 1000

    def test_an_older_key_still_opens_and_the_newest_seals(self) -> None:
        sealed = KEYS.seal(b"AAAA-1", self.PLACE)
        newer = TenantKeys(TENANT, {1: b"f" * 32}, {1: b"1" * 32, 2: b"2" * 32})
        assert newer.open_(1, sealed, self.PLACE) == b"AAAA-1"
        assert newer.key_id == 2
        with pytest.raises(SealBroken):
            KEYS.open_(2, newer.seal(b"AAAA-1", self.PLACE), self.PLACE)

    def test_keys_are_not_shown(self) -> None:
        assert repr(KEYS) == f"TenantKeys({TENANT})"


class TestKeyring:
    async def test_one_key_however_many_ask_first(self, acme: Store, settings: Settings) -> None:
        """Processes with no key in memory come at once: the fingerprints they make afterwards are the same."""
        pool, tenant_id = acme.process.app_pool, uuid4()

        async def fingerprint() -> bytes:
            async with tenant_tx(pool, tenant_id) as tx:
                return (await Keyring(settings.secret).of(tx)).fingerprint("AAAA-1")

        assert len(set(await asyncio.gather(*[fingerprint() for _ in range(16)]))) == 1

    async def test_a_key_that_was_rolled_back_is_not_remembered(self, acme: Store, settings: Settings) -> None:
        keyring, tenant_id = Keyring(settings.secret), uuid4()
        with suppress(ZeroDivisionError):
            async with tenant_tx(acme.process.app_pool, tenant_id) as tx:
                lost = (await keyring.of(tx)).fingerprint("AAAA-1")
                assert (await keyring.of(tx)).fingerprint("AAAA-1") == lost
                raise ZeroDivisionError
        async with tenant_tx(acme.process.app_pool, tenant_id) as tx:
            kept = (await keyring.of(tx)).fingerprint("AAAA-1")
        async with tenant_tx(acme.process.app_pool, tenant_id) as tx:
            assert (await Keyring(settings.secret).of(tx)).fingerprint("AAAA-1") == kept != lost

    async def test_another_secret_does_not_unwrap(self, acme: Store, settings: Settings) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await Keyring(settings.secret).of(tx)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            with pytest.raises(SealBroken):
                await Keyring(b"\x01" * 32).of(tx)

    async def test_a_key_copied_to_another_tenant_does_not_unwrap(self, acme: Store, globex: Store, settings: Settings) -> None:
        for store in (acme, globex):
            async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
                await Keyring(settings.secret).of(tx)
        admin = await asyncpg.connect(settings.database_url)
        sql = """UPDATE tenant_key a SET wrapped = b.wrapped FROM tenant_key b
                 WHERE a.tenant_id = $1 AND b.tenant_id = $2 AND a.purpose = b.purpose"""
        await admin.execute(sql, globex.tenant_id, acme.tenant_id)
        await admin.close()
        async with tenant_tx(globex.process.app_pool, globex.tenant_id) as tx:
            with pytest.raises(SealBroken):
                await Keyring(settings.secret).of(tx)

    async def test_the_application_cannot_change_a_key(self, acme: Store, settings: Settings) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await Keyring(settings.secret).of(tx)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.conn.execute("UPDATE tenant_key SET wrapped = '' WHERE tenant_id = $1", tx.tenant_id)
