"""Rotations: everything opens before, meanwhile and afterwards; no code gets in twice; killed anywhere, they go on."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from checkout_core import safeties
from checkout_core.config import Settings
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import rotations, vault
from tenants.db import TenantTx, tenant_tx
from tenants.keys import Keyring, SealBroken, account_place
from tenants.payments import accounts
from tenants.privacy import archives
from tenants.rotations import places, work
from tenants.vault.loader import Loader, Prepared
from tests.shop import Store
from tests.tenants.rotations.busy import Busy
from tests.tenants.rotations.scenes import begin, bring_in, carry_out, contents, credentials, fill, key_ids, read, rotate, rows

FIRST, SECOND = {("seal", 1), ("fingerprint", 1)}, {("seal", 2), ("fingerprint", 2)}


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CODES_AT_ONCE", 2)
    monkeypatch.setattr(work, "LOOKED_AT_ONCE", 3)


class TestWhole:
    async def test_everything_is_sealed_anew_and_the_keys_before_are_gone(self, acme: Store, small_steps: None) -> None:
        await fill(acme)
        before = await contents(acme)
        assert before.keys() == set(places.TABLES), "a place in which nothing lies proves nothing"
        rotation = await rotate(acme)
        assert (await contents(acme, Keyring(acme.process.settings.secret))) == before
        assert await key_ids(acme) == SECOND
        assert (rotation.codes, rotation.progress.renewed, rotation.progress.others) == (5, 5, 9)
        assert (await acme.audited())[-2:] == ["keys.rotation_begun", "keys.rotated"]

    @pytest.mark.parametrize("purpose", ["seal", "fingerprint"])
    async def test_one_of_them(self, acme: Store, purpose: str) -> None:
        await fill(acme)
        before = await contents(acme)
        await rotate(acme, (purpose,))
        assert await contents(acme) == before
        assert await key_ids(acme) == {(purpose, 2), *(key for key in FIRST if key[0] != purpose)}

    async def test_again(self, acme: Store) -> None:
        await fill(acme)
        before = await contents(acme)
        await rotate(acme)
        await rotate(acme)
        assert await contents(acme) == before
        assert await key_ids(acme) == {("seal", 3), ("fingerprint", 3)}

    async def test_of_a_store_that_has_sealed_nothing(self, acme: Store) -> None:
        await rotate(acme)
        assert len(await key_ids(acme)) == 2

    async def test_one_at_a_time(self, acme: Store) -> None:
        await fill(acme)
        await begin(acme)
        with pytest.raises(Conflict) as refused:
            await begin(acme)
        assert refused.value.code == "rotation_running"
        assert await key_ids(acme) == FIRST | SECOND

    async def test_two_that_are_begun_at_once(self, acme: Store) -> None:
        await fill(acme)
        begun = await asyncio.gather(begin(acme), begin(acme), return_exceptions=True)
        assert sorted(type(each).__name__ for each in begun) == ["Conflict", "UUID"]
        assert await key_ids(acme) == FIRST | SECOND

    async def test_another_store_has_none_of_it(self, acme: Store, globex: Store) -> None:
        await fill(globex)
        before, keys = await contents(globex), await key_ids(globex)
        rotation = await begin(acme)
        with pytest.raises(NotFound):
            await read(globex, rotation)
        await work.carry_out(acme.process.app_pool, acme.process.keyring, globex.tenant_id, rotation)
        assert (await contents(globex), await key_ids(globex)) == (before, keys)

    async def test_more_rows_than_a_step_takes(self, acme: Store) -> None:
        """Also where a key has two parts."""
        await fill(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            request_id = await tx.conn.fetchval("SELECT id FROM data_request WHERE tenant_id = $1", tx.tenant_id)
            for number in range(2, 26):
                await archives.add(tx, acme.process.keyring, request_id, number, "b.jsonl", b"more")
        before = await contents(acme)
        rotation = await rotate(acme)
        assert await contents(acme) == before
        assert (len(before["data_part.sealed"]), rotation.progress.others) == (25, 33)


class TestEveryPlace:
    async def test_is_known(self, acme: Store, settings: Settings) -> None:
        """A column that names a key stands beside what is sealed under it: a new one cannot be forgotten."""
        admin = await asyncpg.connect(settings.database_url)
        sql = """SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND attname LIKE '%key\\_id'
                   AND atttypid = 'smallint'::regtype"""
        found = {row[0] for row in await admin.fetch(sql)}
        await admin.close()
        assert found == {"code.key_id", "code.fingerprint_key_id", *(f"{each.table}.{each.key_id}" for each in places.OTHERS)}


class TestMeanwhile:
    async def test_a_process_that_remembers_the_key_before_opens_what_is_sealed_under_the_next(self, acme: Store) -> None:
        sku, codes = await acme.sku(), [uuid4().hex for _ in range(3)]
        await bring_in(acme, sku, codes)
        elsewhere, before = Keyring(acme.process.settings.secret), await contents(acme)
        assert await contents(acme, elsewhere) == before
        await rotate(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            units = [row[0] for row in await tx.conn.fetch("SELECT unit_id FROM code WHERE tenant_id = $1", tx.tenant_id)]
            assert sorted(code.code for code in await vault.reveal(tx, elsewhere, units)) == sorted(codes)

    async def test_who_read_a_row_still_finds_its_key(self, acme: Store) -> None:
        """Between the last row sealed anew and the removal of the key lies more time than a transaction takes."""
        assert work.SETTLE_S > 12
        await fill(acme)
        rotation = await begin(acme)
        elsewhere = Keyring(acme.process.settings.secret)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            [row] = await rows(tx, places.OTHERS[0])
            await carry_out(acme, rotation)  # all of the first pass; nobody is here for the second within the minute
            keys = await elsewhere.to_open(tx, row["key_id"])
            assert keys.open_(row["key_id"], row["credentials"], account_place(tx.tenant_id, row["id"]))

    async def test_without_that_time_he_does_not(self, acme: Store) -> None:
        await fill(acme)
        elsewhere = Keyring(acme.process.settings.secret)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            [row] = await rows(tx, places.OTHERS[0])
            await rotate(acme)
            keys = await elsewhere.to_open(tx, row["key_id"])
            with pytest.raises(SealBroken):
                keys.open_(row["key_id"], row["credentials"], account_place(tx.tenant_id, row["id"]))

    async def test_an_import_goes_on_under_the_next_key(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """A piece was sealed when the rotation began: it is sealed anew before it is written, and what it repeats is found."""
        sku, codes, begun, write = await acme.sku(), [uuid4().hex for _ in range(3000)], [], Loader.write
        await bring_in(acme, sku, codes[:1])

        async def rotated_before(loader: Loader, prepared: Prepared) -> None:
            if not begun:
                begun.append(await begin(acme))
                assert prepared.keys.in_use == (1, 1)
            await write(loader, prepared)

        monkeypatch.setattr(Loader, "write", rotated_before)
        report = await bring_in(acme, sku, codes)
        assert (report.loaded, report.duplicates_in_vault) == (2999, 1)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT key_id, fingerprint_key_id, count(*) FROM code WHERE tenant_id = $1 GROUP BY 1, 2 ORDER BY 1"
            assert [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id)] == [(1, 1, 1), (2, 2, 2999)]
        assert sorted(vault.codes.unpack(code, 0).code for code in (await contents(acme))["code"]) == sorted(codes)


class TestSealing:
    """Who seals is waited for by who makes a newer key."""

    async def race(self, acme: Store) -> None:
        """An account is sealed in a transaction that lasts; a rotation begins, and is carried out as soon as it can be."""
        await fill(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await accounts.create(tx, acme.process.keyring, credentials(), actor="test")
            rotating = asyncio.create_task(rotate(acme))
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(rotating), 0.5)
        await rotating

    async def test_nothing_is_left_under_the_key_before(self, acme: Store) -> None:
        await self.race(acme)
        assert len((await contents(acme))["provider_account.credentials"]) == 2

    async def test_without_the_line_something_is(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(safeties, "_off", frozenset({"key_line"}))
        await self.race(acme)
        with pytest.raises(SealBroken):
            await contents(acme)


class TestDuplicates:
    async def again(self, acme: Store) -> vault.Report:
        """Half of the codes bear the next fingerprint when all of them are sent once more."""
        sku, codes = await acme.sku(), [uuid4().hex for _ in range(10)]
        await bring_in(acme, sku, codes)
        rotation = await begin(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await work._step(tx, acme.process.keyring, rotation)
            sql = "SELECT count(*) FILTER (WHERE fingerprint_key_id = 2), count(*) FROM code WHERE tenant_id = $1"
            renewed, of = await tx.conn.fetchrow(sql, tx.tenant_id)
            assert 0 < renewed < of
        return await bring_in(acme, sku, [*codes, "A-NEW-ONE"])

    async def test_none_gets_in(self, acme: Store, small_steps: None) -> None:
        report = await self.again(acme)
        assert (report.loaded, report.duplicates_in_vault) == (1, 10)

    async def test_without_a_look_under_each_key_some_do(self, acme: Store, small_steps: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(safeties, "_off", frozenset({"each_fingerprint"}))
        assert (await self.again(acme)).loaded > 1

    async def test_in_one_file_and_across_its_pieces(self, acme: Store) -> None:
        rotation = await begin(acme)
        codes = [uuid4().hex for _ in range(2500)]
        report = await bring_in(acme, await acme.sku(), [*codes, *codes])
        assert (report.loaded, report.duplicates_in_file, report.duplicates_in_vault) == (2500, 2500, 0)
        await carry_out(acme, rotation)


class Killed(Exception):
    pass


class TestKilled:
    async def test_at_every_statement_of_every_step(self, acme: Store, small_steps: None) -> None:
        """The worker dies, its transaction with it; the next one goes on from where the last step ended."""
        await fill(acme)
        before, rotation, statement, deaths = await contents(acme), await begin(acme), 1, 0
        while (await read(acme, rotation)).state != "done":
            if await self.dies_at(acme, rotation, statement):
                statement, deaths = statement + 1, deaths + 1
                assert await contents(acme) == before
            else:
                statement = 1
        assert deaths > 50
        assert await contents(acme) == before
        assert await key_ids(acme) == SECOND
        assert (await read(acme, rotation)).progress.renewed == 5

    async def dies_at(self, acme: Store, rotation: UUID, statement: int) -> bool:
        """Whether the next step has so many statements, and so was not done."""
        left = statement

        class Dying:
            """A connection that breaks at one statement."""

            def __init__(self, conn: Any) -> None:
                self._conn = conn

            def __getattr__(self, name: str) -> Any:
                nonlocal left
                if name in ("fetch", "fetchrow", "fetchval", "execute"):
                    left -= 1
                    if left == 0:
                        raise Killed
                return getattr(self._conn, name)

        try:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await work._step(TenantTx(Dying(tx.conn), tx.tenant_id), acme.process.keyring, rotation)
        except Killed:
            return True
        return False

    async def test_two_workers_at_once(self, acme: Store, small_steps: None) -> None:
        await fill(acme)
        before, rotation = await contents(acme), await begin(acme)
        while (await read(acme, rotation)).state != "done":
            await asyncio.gather(carry_out(acme, rotation), carry_out(acme, rotation))
        assert await contents(acme) == before
        assert (await read(acme, rotation)).progress.renewed == 5


async def test_a_shop_at_work_notices_nothing(acme: Store) -> None:
    """A small one; `python -m tests.bench.rotation` plays the same with 100,000 codes."""
    busy = Busy(acme)
    await busy.open(2000)
    figures = await busy.play()
    assert figures.renewed >= 2000
    assert min(figures.done[each] for each in ("sold and revealed", "imported", "looked up")) > 0
    await busy.judge()


async def test_a_rotation_in_the_list(acme: Store) -> None:
    done, running = await rotate(acme), await begin(acme)
    async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
        assert [each.id for each in await rotations.latest(tx, limit=10)] == [running, done.id]
        assert [each.id for each in await rotations.latest(tx, limit=10, before=running)] == [done.id]
    assert encode("rot", running).startswith("rot_")
