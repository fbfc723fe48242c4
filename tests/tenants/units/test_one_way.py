"""A unit that was sold is never available again, by anybody: what the statements say, and what random days in a store show."""

import ast
import datetime as dt
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from checkout_core.errors import AppError
from checkout_core.ids import decode, encode
from checkout_core.intents import Outcome, SaleKey
from tenants import delivery
from tenants.db import tenant_tx
from tenants.migrate import ours
from tenants.orders import allot, commit_batch, release
from tenants.units import acts, aside, expiry
from tenants.units.replace import replace
from tests.house.sources import ROOT
from tests.shop import Store
from tests.tenants.orders.test_together import wish
from tests.tenants.units.stock import figures, order, rows

FORMER = re.compile(r"(?:\bunit\.)?\bstate (?:= '(\w+)'|IN \(([^)]*)\))")


class Write(NamedTuple):
    where: str
    to: str
    sources: tuple[str, ...]  # none: it does not say


def statements(path: Path) -> Iterator[str]:
    """Every text of a module, what is put into it left out."""
    tree = ast.parse(path.read_text())
    inside = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.value


def writes(where: str, text: str) -> Iterator[Write]:
    """What `text` does to the state of units."""
    for update in re.split(r"UPDATE unit SET ", text)[1:]:
        assigned, _, condition = update.partition("WHERE")
        if to := re.search(r"\bstate = '(\w+|…)'", assigned):
            found = FORMER.search(condition)
            yield Write(where, to[1], tuple(re.findall(r"\w+", found[1] or found[2])) if found else ())


def all_writes() -> list[Write]:
    found = [w for path in sorted((ROOT / "tenants").rglob("*.py")) for text in statements(path) for w in writes(path.stem, text)]
    # The acts' one statement is written from their table; each as it is run.
    found = [w for w in found if w.where != "aside"]
    found += [w for act in aside.ACTS for w in writes(f"aside {act}", aside.statement(act))]
    [reserve] = [text for migration in ours()[-40:] for text in migration.statements() if "FUNCTION reserve" in text and "rank" in text]
    return [*found, *writes("reserve", reserve)]


def faults(found: list[Write]) -> list[Write]:
    """Those that could make something of a unit that was sold which it may not become, or that do not say of what."""
    may = {"available": {"held", "locked"}, "held": {"available"}, "locked": {"available"}, "expired": {"available"}}
    may |= {"sold": {"held", "available"}, "quarantined": {"sold"}, "void": {"available", "locked", "expired", "quarantined"}}
    locked = Write("allot", "held", ())  # the survey has locked them, as available
    return [w for w in found if w != locked and (not w.sources or set(w.sources) - may.get(w.to, set()))]


class TestStatements:
    def test_none_leads_from_sold_to_the_shelf(self) -> None:
        found = all_writes()
        assert faults(found) == []
        assert {w.to for w in found} == {"available", "held", "sold", "locked", "void", "expired", "quarantined"}
        assert len(found) >= 12

    def test_only_the_domain_writes_units(self) -> None:
        folders = [path for folder in ("api", "workers", "tessera", "checkout_core") for path in (ROOT / folder).rglob("*.py")]
        assert [path for path in folders if re.search(r"UPDATE unit\b|INTO unit\b|DELETE FROM unit\b", path.read_text())] == []

    @pytest.mark.parametrize(
        ("of", "without"),
        [
            (ROOT / "tenants" / "orders" / "allot.py", "AND state = 'held'"),
            (ROOT / "tenants" / "orders" / "allot.py", "AND state = 'sold'"),
        ],
    )
    def test_one_without_its_guard_is_seen(self, of: Path, without: str, tmp_path: Path) -> None:
        careless = tmp_path / "careless.py"
        careless.write_text(of.read_text().replace(without, ""))
        assert faults([w for text in statements(careless) for w in writes("careless", text)]) != []

    def test_an_act_that_frees_what_was_sold_is_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(aside.ACTS, "unlock", aside.Way(("locked", "quarantined"), "available"))
        assert [w.where for w in faults(all_writes())] == ["aside unlock"]

    async def test_nobody_who_sells_may_delete_units_or_their_history(self, acme: Store) -> None:
        sql = """SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
                 WHERE grantee = 'tessera_app' AND table_name IN ('unit', 'unit_event') ORDER BY 1"""
        granted = [row[0] for row in await acme.process.app_pool.fetch(sql)]
        assert granted == ["unit INSERT", "unit SELECT", "unit UPDATE", "unit_event INSERT", "unit_event SELECT"]


class Days:
    """Random days in a store, and whoever was sold once."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.dice = store, random.Random(seed)
        self.sold: set[int] = set()
        self.done: list[str] = []
        self.orders: list[str] = []

    async def live(self, deeds: int) -> None:
        store = self.store
        self.sku = await store.sku()
        self.units = [unit for _ in range(3) for unit in await store.load(self.sku, 8)]
        self.batches = [row[0] for row in await rows(store, "SELECT id FROM vault_batch WHERE tenant_id = $1 ORDER BY id")]
        self.sale = await store.sale(14, sku_id=self.sku)
        for _ in range(deeds):
            what = self.dice.choice(DEEDS)
            try:
                await getattr(self, what)()
            except AppError as error:
                what = f"{what}: {error.code}"
            self.done.append(what)
            await self.look()

    async def look(self) -> None:
        now = dict(await rows(self.store, "SELECT id, state FROM unit WHERE tenant_id = $1"))
        freed = {unit: now[unit] for unit in self.sold if now[unit] not in ("sold", "quarantined", "void")}
        assert not freed, f"was sold once: {freed}, after {self.done}"
        self.sold |= {unit for unit, state in now.items() if state == "sold"}
        await figures(self.store, self.sale)

    def some(self) -> list[int]:
        return self.dice.sample(self.units, 5)

    async def act(self, what: acts.Act) -> None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            await acts.act(tx, what, self.some(), actor="test", reason="days")

    async def lock(self) -> None:
        await self.act("lock")

    async def unlock(self) -> None:
        await self.act("unlock")

    async def void(self) -> None:
        if self.dice.random() < 0.2:
            await self.act("void")

    async def buy(self) -> None:
        pool, asked = self.store.process.app_pool, wish(quantity=self.dice.choice((1, 1, 2)))
        [decision] = await commit_batch(pool, SaleKey(self.store.tenant_id, decode("sal", self.sale)), [asked])
        if decision.outcome is not Outcome.RESERVED:
            return
        self.orders.append(encode("ord", asked.order_id))
        if self.dice.random() < 0.6:
            async with tenant_tx(pool, self.store.tenant_id) as tx:
                await delivery.deliver(tx, asked.order_id, asked.shopper_id, dt.datetime.now(dt.UTC))

    async def cancel(self) -> None:
        if self.orders:
            await self.store.client.post(f"/v1/orders/{self.dice.choice(self.orders)}/cancel", headers=self.store.merchant)

    async def refund(self) -> None:
        if not self.sold or self.dice.random() < 0.5:
            return
        sql = "SELECT id, shopper_id FROM orders WHERE tenant_id = $1 AND state = 'delivered' ORDER BY id LIMIT 1"
        for order_id, shopper_id in await rows(self.store, sql):
            async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
                await release.lock(tx, order_id)
                sale = await allot.lock_sale(tx, decode("sal", self.sale))
                assert sale is not None
                await allot.quarantine(tx, sale, order_id, shopper_id, self.units, reason=f"test:{order_id.hex}")
                await tx.conn.execute("UPDATE orders SET state = 'refunding' WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)

    async def swap(self) -> None:
        if self.sold:
            async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
                await replace(tx, self.dice.choice(sorted(self.sold)), actor="test", reason="days")

    async def recall(self) -> None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            await acts.recall(tx, self.dice.choice(self.batches), "locked", actor="test", reason="days")

    async def restore(self) -> None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            await acts.restore(tx, self.dice.choice(self.batches), actor="test", reason="days")

    async def expire(self) -> None:
        sql = "UPDATE unit SET valid_until = now() - interval '1 s' WHERE tenant_id = $1 AND id = $2 RETURNING batch_id"
        [(batch_id,)] = await rows(self.store, sql, self.dice.choice(self.units))
        await expiry.sweep(self.store.process.app_pool, self.store.tenant_id, batch_id)

    async def restock(self) -> None:
        change = {"add": 2} if self.dice.random() < 0.7 else {"withdraw": 1}
        await self.store.client.post(f"/v1/sales/{self.sale}/stock", headers=self.store.merchant, json=change)


DEEDS = (
    "buy", "buy", "buy", "cancel", "cancel", "refund", "swap", "swap", "lock", "unlock", "unlock", "void", "recall", "restore", "restore",
    "expire", "restock", "restock",
)  # fmt: skip


class TestDays:
    @pytest.mark.parametrize("seed", range(3))
    async def test_what_was_sold_stays_away_and_the_figures_are_right(self, acme: Store, seed: int) -> None:
        days = Days(acme, seed)
        await days.live(90)
        assert len(days.sold) >= 5, days.done

    async def test_days_with_a_careless_act_are_seen(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(aside.ACTS, "unlock", aside.Way(("locked", "quarantined"), "available"))
        days = [Days(acme, seed) for seed in range(3)]

        async def live() -> None:
            for each in days:
                await each.live(90)

        with pytest.raises(AssertionError, match="was sold once"):
            await live()

    async def test_postgres_itself_refuses_to_free_what_an_order_owns(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(aside.ACTS, "unlock", aside.Way(("locked", "sold"), "available"))
        _, [unit] = await order(acme, await acme.sale(), deliver=True)

        async def free() -> None:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await acts.act(tx, "unlock", [unit], actor="test", reason="careless")

        with pytest.raises(asyncpg.CheckViolationError):
            await free()
