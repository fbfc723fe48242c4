"""What types and part refunds ask of Postgres: never all rows of a table, though a database is young and keeps its plans."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from checkout_core import tokens
from checkout_core.errors import NotFound
from checkout_core.ids import decode, encode
from tenants import entitlements, fulfilments, orders, terms, types
from tenants.db import Pool, tenant_tx
from tenants.payments import refunds
from tenants.types import Asking
from tenants.types.licence import acts as licences
from tenants.types.membership import acts as memberships
from tenants.types.topup import acts as topups
from tenants.types.topup import lines
from tenants.vault import Content
from tests.paying import pay
from tests.plans import scans
from tests.shop import Store
from tests.tenants.payments.lines import Want, order


class Heard:
    """The statements of one connection."""

    def __init__(self, store: Store, conn: Any) -> None:
        self.store, self.conn = store, conn
        self.statements: set[str] = set()

    def hear(self, record: asyncpg.connection.LoggedQuery) -> None:
        if not record.query.startswith(("BEGIN", "COMMIT", "ROLLBACK")) and "typeinfo_tree" not in record.query:
            self.statements.add(record.query)

    async def act(self, run: Any, question: Any, *, shopper_id: UUID | None = None) -> Any:
        async with tenant_tx(self.conn, self.store.tenant_id) as tx:
            return await run(Asking(tx, self.store.process.keyring, "key_1", shopper_id), question)

    async def refund(self, order: str, **part: Any) -> None:
        async with tenant_tx(self.conn, self.store.tenant_id) as tx:
            await refunds.request(tx, decode("ord", order), actor="test", **part)

    async def scanned(self, young: Pool) -> dict[str, list[str]]:
        found = {sql: await scans(young, self.store.tenant_id, sql) for sql in self.statements}
        return {
            sql: names for sql, names in found.items() if set(names) - {"store_pkey", "tenant_key_pkey"}
        }  # a tenant has one store, and a few keys


async def paid(
    store: Store, type_: str, units: int = 2, *, said: dict[str, str] | None = None, **config: object
) -> tuple[dict[str, str], str]:
    sku = await store.sku(type=type_, config=config)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    who = await store.guest()
    order = await store.order(who, sale := await store.sale(units, sku_id=sku))
    if said:
        await store.ask("PUT", f"/v1/orders/{order}/inputs/{sale}", who, {"values": said})
    assert await pay(store, order) == "applied"
    return who, order


async def test_licences(acme: Store, young: Pool) -> None:
    who, order = await paid(acme, "licence", days=30, starts="activation")
    [code] = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
    key = code["code"]
    on = licences.LicenceOnDevice(key, "pc")
    async with acme.process.app_pool.acquire() as conn:
        heard = Heard(acme, conn)
        with conn.query_logger(heard.hear):
            await heard.act(licences.validate, licences.LicenceToValidate(key))
            await heard.act(licences.activate, on)
            [found] = (await heard.act(licences.inspect, licences.LicencesOfOrder(order))).licences
            await heard.act(licences.suspend, licences.LicenceUnit(found.unit))
            await heard.act(licences.deactivate, on)
            await heard.refund(order)
            assert (await heard.act(licences.validate, licences.LicenceToValidate(key))).code == "REVOKED"
    assert len(heard.statements) > 15
    assert await heard.scanned(young) == {}


async def test_memberships(acme: Store, young: Pool) -> None:
    who, order = await paid(acme, "membership")
    shopper = tokens.verify(acme.process.keys.shoppers, who["Authorization"].removeprefix("Bearer ")).id
    async with acme.process.app_pool.acquire() as conn:
        heard = Heard(acme, conn)
        tenant_id = acme.tenant_id
        with conn.query_logger(heard.hear):
            async with tenant_tx(conn, tenant_id) as tx:
                [line] = await fulfilments.of_order(tx, decode("ord", order))
            await fulfilments.carry_out(conn, acme.process.keyring, tenant_id, line.id)
            async with tenant_tx(conn, tenant_id) as tx:
                sql = """UPDATE entitlement SET next_try_at = now() - interval '1 second', valid_until = now() + interval '1 day'
                         WHERE tenant_id = $1 AND order_id = $2 RETURNING id"""
                entitlement_id = await tx.conn.fetchval(sql, tenant_id, decode("ord", order))
            await terms.tend(conn, tenant_id, entitlement_id)
            found = await heard.act(memberships.status, memberships.MembershipQuestion(), shopper_id=shopper)
            assert found.member
            await heard.act(memberships.check, memberships.MemberQuestion(shopper_id=encode("shp", shopper)))
            await heard.refund(order)
    assert len(heard.statements) > 20
    assert await heard.scanned(young) == {}
    assert (await acme.ask("POST", "/v1/types/membership/status", who, {}))["member"] is False


async def test_topups(acme: Store, young: Pool) -> None:
    said = {"account": "deer-2026", "account_again": "deer-2026"}
    who, order = await paid(acme, "topup", said=said, credited="100")
    shopper = tokens.verify(acme.process.keys.shoppers, who["Authorization"].removeprefix("Bearer ")).id
    async with acme.process.app_pool.acquire() as conn:
        heard = Heard(acme, conn)
        with conn.query_logger(heard.hear):
            async with tenant_tx(conn, acme.tenant_id) as tx:
                [line] = await fulfilments.of_order(tx, decode("ord", order))
            await fulfilments.carry_out(conn, acme.process.keyring, acme.tenant_id, line.id)
            await heard.act(topups.claim, topups.TopUpToClaim(fulfilment_id=encode("ful", line.id)))
            await heard.act(topups.send_back, topups.TopUpToSendBack(fulfilment_id=encode("ful", line.id), reason="No such account."))
            asked = topups.TopUpCorrection(order_id=order, sale_id=encode("sal", line.sale_id), values=said)
            await heard.act(topups.correct, asked, shopper_id=shopper)
            [found] = (await heard.act(topups.status, topups.TopUpsOfOrder(order_id=order), shopper_id=shopper)).topups
            assert found.state == "waiting"
            async with tenant_tx(conn, acme.tenant_id) as tx:
                told = [Content("", note="Receipt 4711")]
                [standing] = await entitlements.of_order(tx, decode("ord", order), line.sku_id)
                unit = standing.unit_id
                await fulfilments.complete(tx, acme.process.keyring, line.id, told, actor="test")
                assert await lines.credited(tx, [unit, unit + 1]) == "100"
    assert len(heard.statements) > 30
    assert await heard.scanned(young) == {}


async def test_parts(acme: Store, young: Pool) -> None:
    sku = await acme.sku(type="manual")
    await acme.ask("POST", f"/v1/skus/{sku}/units", acme.merchant, {"quantity": 2})
    bought = await order(acme, Want(await acme.sale(2, sku_id=sku), 2), Want(await acme.sale(3), 3, (1, 2, 3)))
    assert await pay(acme, bought.order) == "applied"
    async with acme.process.app_pool.acquire() as conn:
        heard, tenant_id = Heard(acme, conn), acme.tenant_id
        with conn.query_logger(heard.hear):
            await heard.refund(bought.order, units=bought.lines[1][:1])
            with pytest.raises(NotFound):
                await heard.refund(bought.order, units=[0])
            async with tenant_tx(conn, tenant_id) as tx:
                await types.refundable(tx, bought.order_id, await tx.conn.fetchval("SELECT now()"))
            async with tenant_tx(conn, tenant_id) as tx:
                [line] = await fulfilments.of_order(tx, bought.order_id)
                await fulfilments.fail(tx, acme.process.keyring, line.id, "out of order", actor="test")
            async with tenant_tx(conn, tenant_id) as tx:
                assert (await orders.get(tx, bought.order_id)).refunded_minor == 1 + 2 * 9900
                sql = "SELECT sale_id FROM refund_unit WHERE tenant_id = $1 AND order_id = $2 AND amount_minor = 1"
                sale_id = await tx.conn.fetchval(sql, tenant_id, bought.order_id)
            await heard.refund(bought.order, sale_ids=[sale_id])
            async with tenant_tx(conn, tenant_id) as tx:
                sql = "SELECT out_refund_no FROM refund WHERE tenant_id = $1 AND order_id = $2"
                for (number,) in await tx.conn.fetch(sql, tenant_id, bought.order_id):
                    await refunds.succeeded(tx, number)
                assert (await orders.get(tx, bought.order_id)).state == "refunded"
    assert len(heard.statements) > 25
    assert await heard.scanned(young) == {}
