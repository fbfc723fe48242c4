"""Master keys: a newer one wraps all data keys while everything goes on, and the one before can then be forgotten."""

from uuid import UUID

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.db import OLDEST, Pool, tenant_tx
from tenants.keys import Keyring, Masters, SealBroken
from tenants.rotations import masters as wrapping
from tessera.commands import keys as command
from tests.shop import Store
from tests.tenants.rotations.scenes import contents, fill

SECRET, ONE, TWO = b"\x5e" * 32, (1, b"\x01" * 32), (2, b"\x02" * 32)

every_store = wrapping._tenants


@pytest.fixture(autouse=True)
def these_stores_only(acme: Store, globex: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others play on this database."""
    mine = sorted((acme.tenant_id, globex.tenant_id))

    async def tenants(_: Pool, after: UUID) -> list[UUID]:
        return [tenant_id for tenant_id in mine if tenant_id > after][:1]

    monkeypatch.setattr(wrapping, "_tenants", tenants)


async def master_ids(store: Store, settings: Settings) -> list[int]:
    admin = await asyncpg.connect(settings.database_url)
    rows = await admin.fetch("SELECT master_id FROM tenant_key WHERE tenant_id = $1", store.tenant_id)
    await admin.close()
    return sorted(row[0] for row in rows)


class TestRewrap:
    async def test_every_key_of_every_store(self, acme: Store, globex: Store, settings: Settings) -> None:
        await fill(acme)
        await fill(globex)
        before, platform = (await contents(acme), await contents(globex)), acme.process.platform_pool
        assert await wrapping.rewrap(platform, Masters(SECRET, [ONE])) >= 4
        assert (await wrapping.usage(platform)).keys() == {1}
        # One who knows both, and one who has forgotten the first: TESSERA_SECRET may be another now.
        for keyring in (Keyring(SECRET, [ONE]), Keyring(b"\x00" * 32, [ONE])):
            assert (await contents(acme, keyring), await contents(globex, keyring)) == before
        assert await wrapping.rewrap(platform, Masters(SECRET, [ONE])) == 0, "again there is nothing to do"
        await wrapping.rewrap(platform, Masters(SECRET, [TWO, ONE, (0, b"")]))  # and back
        assert (await wrapping.usage(platform)).keys() == {0}
        assert (await contents(acme, Keyring(SECRET)), await contents(globex, Keyring(SECRET))) == before

    async def test_stops_at_a_key_it_cannot_unwrap_and_keeps_it(self, acme: Store, settings: Settings) -> None:
        await fill(acme)
        with pytest.raises(SealBroken):
            await wrapping.rewrap(acme.process.platform_pool, Masters(b"\x00" * 32, [ONE]))
        assert await master_ids(acme, settings) == [0, 0]

    async def test_the_application_may_not(self, acme: Store, settings: Settings) -> None:
        await fill(acme)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await wrapping._rewrap(tx, Masters(SECRET, [ONE]))


async def test_stores_are_read_some_at_a_time(acme: Store, globex: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "AT_ONCE", 2)
    first = await every_store(acme.process.platform_pool, OLDEST)
    second = await every_store(acme.process.platform_pool, first[0])
    assert first == sorted(first)
    assert (len(first), second[0]) == (2, first[1])


class TestWhichWraps:
    async def test_the_one_listed_last(self, acme: Store, globex: Store, settings: Settings) -> None:
        """A process that was started with a newer one first in the list knows it, and wraps nothing by it yet."""
        for store, listed, expected in ((acme, [ONE, (0, b"")], 0), (globex, [ONE], 1)):
            async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
                await Keyring(SECRET, listed).of(tx)
            assert await master_ids(store, settings) == [expected] * 2

    async def test_one_that_is_not_listed_is_named(self, acme: Store) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await Keyring(SECRET, [ONE]).of(tx)
            with pytest.raises(SealBroken, match="master key 1, which TESSERA_MASTER_KEYS does not list"):
                await Keyring(SECRET).of(tx)


@pytest.fixture
async def keys_of_acme(acme: Store) -> None:
    async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
        await acme.process.keyring.of(tx)


class TestCommand:
    def test_tells_and_rotates(
        self, keys_of_acme: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environ = {
            "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "TESSERA_SECRET": settings.secret.hex(),
            "TESSERA_ENV": "test",
        }  # fmt: skip
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TESSERA_MASTER_KEYS", f"1:{'01' * 32}")
        assert command.main(["rotate-master"]) == 0
        assert "data keys wrapped anew.\nmaster key 1 wraps" in capsys.readouterr().out
        monkeypatch.setenv("TESSERA_MASTER_KEYS", f"1:{'01' * 32},0")
        assert command.main(["status"]) == 0
        assert "master key 0 wraps 0 data keys, and new ones\nmaster key 1 wraps" in capsys.readouterr().out
        assert command.main(["rotate-master"]) == 0

    def test_says_what_is_wrong_with_the_list(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for wrong in ("1", "1:abc", f"0:{'01' * 32}", f"32768:{'01' * 32}", f"1:{'01' * 32},1:{'02' * 32}"):
            with pytest.raises(ValueError, match="TESSERA_MASTER_KEYS") as told:
                Settings.from_env({"DATABASE_URL": "x", "REDIS_URL": "x", "TESSERA_SECRET": "5e" * 32, "TESSERA_MASTER_KEYS": wrong})
            assert "0101" not in str(told.value)
