"""A small healthy store, written by SQL: an order in every state, and the provider's books that go with it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from checkout_core.ids import new_id
from tenants.audit import chain
from tenants.db import TenantTx
from tenants.keys import Keyring, TenantKeys, unit_place
from tenants.vault import codes

PRICE = 990
LIMIT = 2
UNITS = 19
ALLOTTED = 13
AT_THE_GATE = 3  # units of the flash sale
MCH_ID = "1900000001"


@dataclass
class Healthy:
    """Ids by what they are for, to break things by name: `{awaiting}`, `{unit_awaiting}` … in SQL text."""

    secret: bytes
    ids: dict[str, Any] = field(default_factory=dict)
    books: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"orders": [], "payments": [], "refunds": []})

    def sql(self, text: str) -> str:
        return text.format_map({name: f"'{value}'" if isinstance(value, UUID) else value for name, value in self.ids.items()})


async def build(conn: asyncpg.Connection, secret: bytes) -> Healthy:
    """Build two tenants, as a role that sees both; all the business is the first one's."""
    store = Healthy(secret)
    await Builder(conn, store, "one").business()
    await Builder(conn, Healthy(secret), "two").catalog()
    return store


class Builder:
    def __init__(self, conn: asyncpg.Connection, store: Healthy, slug: str) -> None:
        self.conn, self.store, self.slug = conn, store, slug
        self.tenant = store.ids.setdefault("tenant", new_id())
        self.next_unit = 0
        self.soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)

    async def insert(self, table: str, **values: Any) -> None:
        columns = ["tenant_id", *values]
        marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        await self.conn.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", self.tenant, *values.values())

    async def catalog(self) -> None:
        ids = self.store.ids
        await self.conn.execute("INSERT INTO tenant (id, slug) VALUES ($1, $2)", self.tenant, self.slug)
        await self.insert("store", slug=self.slug, name=self.slug)
        for name in ("product", "sku", "other_sku", "batch", "sale", "ended_sale", "flash", "over_flash", "account", "other_account"):
            ids[name] = new_id()
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        await self.insert("product", id=ids["product"], name="cards", unpublish_at=soon, next_try_at=soon)
        for sku in ("sku", "other_sku"):
            await self.insert("sku", id=ids[sku], product_id=ids["product"], name=sku, price_minor=PRICE, currency="CNY")
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        batch = {"state": "loaded", "operator": "test", "loaded": UNITS, "next_try_at": soon}
        await self.insert("vault_batch", id=ids["batch"], sku_id=ids["sku"], **batch)
        sale = {"sku_id": ids["sku"], "price_minor": PRICE, "currency": "CNY", "limit_per_shopper": LIMIT}
        starts_at = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        await self.insert("sale", id=ids["sale"], name="sale", allotted=ALLOTTED, starts_at=starts_at, **sale)
        await self.insert("sale", id=ids["ended_sale"], name="ended", state="ended", starts_at=starts_at, **sale)
        flash = {"door": "gate", "starts_at": starts_at, "epoch": 2} | sale
        await self.insert("sale", id=ids["flash"], name="flash", allotted=AT_THE_GATE, next_try_at=soon, **flash)
        await self.insert("sale", id=ids["over_flash"], name="over", state="ended", **flash)
        for account, mch_id in (("account", MCH_ID), ("other_account", "1900000002")):
            await self.insert("provider_account", id=ids[account], provider="sandbox", mch_id=mch_id, credentials=b"sealed", key_id=1)
        ids["licence"] = new_id()
        licence = {"kind": "gift_cards", "state": "approved", "particulars": b"sealed", "key_id": 1, "valid_until": soon}
        await self.insert("qualification", id=ids["licence"], next_try_at=soon, **licence)
        tenant_keys = await Keyring(self.store.secret).of(TenantTx(self.conn, self.tenant))
        ids["units"] = [row[0] for row in await self.conn.fetch(f"SELECT nextval('unit_id_seq') FROM generate_series(1, {UNITS})")]
        for n, unit in enumerate(ids["units"]):
            sale_id = ids["sale"] if n < ALLOTTED else ids["flash"] if n < ALLOTTED + AT_THE_GATE else None
            await self.insert("unit", id=unit, rank=unit, sku_id=ids["sku"], batch_id=ids["batch"], sale_id=sale_id)
            sealed = self.seal(tenant_keys, unit, code_of(self.slug, n))
            await self.insert("code", unit_id=unit, sku_id=ids["sku"], batch_id=ids["batch"], line_no=n + 1, key_id=1, **sealed)
        sql = "UPDATE unit SET valid_until = $2 WHERE id = $1"
        await self.conn.execute(sql, ids["units"][-1], soon)
        ids |= {"loose": ids["units"][-1], "other_loose": ids["units"][-2], "free": ids["units"][ALLOTTED - 1]}

    def seal(self, tenant_keys: TenantKeys, unit: int, code: str) -> dict[str, bytes]:
        place = unit_place(self.tenant, self.store.ids["sku"], unit)
        sealed = tenant_keys.seal(codes.pack(codes.Content(code, f"secret-of-{code}")), place)
        return {"fingerprint": tenant_keys.fingerprint(codes.normalise(code)), "sealed": sealed}

    async def business(self) -> None:
        await self.catalog()
        await self.order("awaiting", units="held")
        await self.attempt("awaiting", "open")
        await self.order("closing", units="held")
        await self.order("expired")
        await self.order("cancelled")
        await self.order("refused")
        await self.flash()
        await self.order("delivered", quantity=2, units="sold")
        await self.paid("delivered")
        await self.deliver("delivered", revealed=True)
        await self.order("doubled", state="delivered", units="sold")
        await self.paid("doubled")
        await self.deliver("doubled")
        await self.replaced("doubled")
        await self.paid("doubled", disposition="double", name="double")
        await self.refund("double", "succeeded")
        await self.order("late", state="expired")
        await self.conn.execute("UPDATE orders SET hold_until = now() - interval '1 hour' WHERE id = $1", self.store.ids["late"])
        await self.paid("late", disposition="late")
        await self.refund("late", "requested")
        for state, refund in (("refunding", "requested"), ("refunded", "succeeded")):
            await self.order(state, units="sold")
            await self.paid(state)
            await self.deliver(state)
            await self.refund(state, refund)
            await self.quarantine(state)
        await self.parted()
        await self.coupons()
        await self.points()
        await self.insert(
            "payment_inbox",
            id=self.named("new_notice"),
            account_id=self.store.ids["account"],
            event_id="EV-2",
            notice="{}",
            raw=b"{}",
            next_try_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        )
        await self.insert("outbox", id=self.named("event"), topic="order.ended", payload="{}", next_try_at=None)
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        owed = {"recipient": "ann@example.org", "template": "known", "locale": "en", "content": "{}"}
        await self.insert("mail", id=self.named("mail"), **owed, next_try_at=soon, tries=1)
        await self.insert("audit", id=self.named("unlinked"), at=soon, actor="test", action="sale.paused", subject="sale")
        await self.insert("audit_unlinked", id=self.store.ids["unlinked"], next_try_at=soon)
        await self.insert("data_request", id=self.named("request"), kind="store_export", asked_by="test", next_try_at=soon)
        await self.insert("outbox", id=self.named("later_event"), topic="order.ended", payload="{}", next_try_at=soon, tries=1)
        endpoint, told = self.named("endpoint"), self.named("told")
        await self.insert(
            "webhook_endpoint", id=endpoint, url="https://example.com/", event_types=["*"], secret=b"x", key_id=1, next_try_at=soon
        )
        await self.insert("webhook_watch", id=self.named("watch"), next_try_at=soon)
        await self.insert("webhook_event", id=told, type="order.expired", body="{}")
        await self.insert("webhook_delivery", id=self.named("webhook"), endpoint_id=endpoint, event_id=told, type="order.expired", seq=1)
        domain = f"{self.slug}.example.com"
        await self.insert("store_domain", id=self.named("domain"), domain=domain, state="active", next_try_at=soon)
        ids = self.store.ids
        line = {"order_id": ids["late"], "sku_id": ids["sku"]}
        await self.insert("fulfilment", id=self.named("fulfilment"), sale_id=ids["sale"], **line, due_at=soon, next_try_at=soon)
        about = {"kind": "order", "subject_id": ids["late"], "reason": "x", "units": [1], "asked_by": "test", "asked_by_user": new_id()}
        await self.insert("code_export", id=self.named("export"), **about, next_try_at=soon)
        await self.insert("key_rotation", id=self.named("rotation"), purposes=["seal"], codes=0, asked_by="test", next_try_at=soon)
        await self.insert("stock_watch", id=ids["sku"], low_stock_at=1, next_try_at=soon)
        about = {"unit_id": 0, "shopper_id": new_id(), "type": "membership"}
        await self.insert("entitlement", id=self.named("entitlement"), **line, **about, valid_until=soon, next_try_at=soon)
        reminder = {"contact": "ann@example.org", "locale": "en", "shop_url": "https://example.com"}
        await self.insert("order_reminder", id=self.named("reminder"), **reminder, next_try_at=soon)
        await self.insert("reminder_round", id=ids["sale"], next_try_at=soon)
        await self.insert("order_change", order_ids=[self.store.ids["late"]], next_try_at=soon)
        await self.insert(
            "payment_inbox", id=self.named("notice"), account_id=self.store.ids["account"], event_id="EV-1", notice="{}", raw=b"{}",
            state="done", outcome="applied", next_try_at=None,
        )  # fmt: skip

    async def coupons(self) -> None:
        """A piece in each state that an order can leave it in, each with 10 off; and one that nobody used."""
        ids, soon = self.store.ids, dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        coupon = self.named("coupon")
        await self.insert(
            "coupon", id=coupon, name="ten off", currency="CNY", kind="fixed", off_minor=10, claim="public", state="active", claimed=5,
            claims_max=9, locked=1, used=1, uses_max=9, spent_minor=20, budget_minor=99, next_try_at=soon,
        )  # fmt: skip
        uses = {
            "awaiting": ("locked", "locked"), "delivered": ("used", "used"), "expired": ("released", "held"),
            "refunded": ("returned", "held"), "doubled": ("borne", "used"),
        }  # fmt: skip
        for order, (use, state) in uses.items():
            about = {"coupon_id": coupon, "shopper_id": ids[f"shopper_{order}"], "n": 1, "source": "claim", "valid_until": soon}
            at = ids[order] if state in ("locked", "used") else None
            await self.insert("coupon_grant", id=self.named(f"grant_{order}"), state=state, order_id=at, **about)
            about = {"order_id": ids[order], "grant_id": ids[f"grant_{order}"], "discount_minor": 10}
            ended = None if use == "locked" else dt.datetime.now(dt.UTC)
            await self.insert("coupon_use", coupon_id=coupon, state=use, ended_at=ended, **about)
            await self.insert("coupon_line", sale_id=ids["sale"], whole_minor=await self.amount(order) + 10, **about)

    def named(self, name: str) -> UUID:
        self.store.ids[name] = new_id()
        return self.store.ids[name]

    async def order(
        self, name: str, *, state: str = "", quantity: int = 1, units: str | None = None, sale: str = "sale", epoch: int | None = None
    ) -> None:
        ids, state, shopper = self.store.ids, state or name, self.named(f"shopper_{name}")
        now = dt.datetime.now(dt.UTC)
        holds = state in ("awaiting", "closing")
        await self.insert(
            "orders", id=self.named(name), intent_id=new_id(), shopper_id=shopper, state=state, refusal=2 if state == "refused" else None,
            amount_minor=0 if state == "refused" else quantity * PRICE, currency="CNY", body_hash=bytes(16), channel="web",
            contact=f"{name}@example.com", created_at=now, hold_until=now + dt.timedelta(days=1), paid_at=now,
            next_try_at=now + dt.timedelta(days=1) if holds else None, epoch=epoch,
        )  # fmt: skip
        if state != "refused":
            await self.insert(
                "order_line", order_id=ids[name], sale_id=ids[sale], sku_id=ids["sku"], quantity=quantity, unit_price_minor=PRICE
            )
        if units:
            for slot in range(1, quantity + 1):
                unit = ids[f"unit_{name}"] = ids["units"][self.next_unit]
                self.next_unit += 1
                sql = "UPDATE unit SET state = $2, order_id = $3, shopper_id = $4, slot = $5 WHERE id = $1"
                await self.conn.execute(sql, unit, units, ids[name], shopper, slot)
            sql = "UPDATE sale SET committed = committed + $2, last_unit = $3 WHERE id = $1"
            await self.conn.execute(sql, ids[sale], quantity, unit)

    async def flash(self) -> None:
        """One order came back under each epoch of the flash sale; then one unit of it was held, under the later one."""
        ids, at_the_other_sale = self.store.ids, self.next_unit
        for seq in (1, 2):
            await self.order(f"returned_{seq}", state="cancelled", sale="flash", epoch=seq)
            reason, shopper = f"order:{ids[f'returned_{seq}'].hex}", ids[f"shopper_returned_{seq}"]
            await self.insert("give_back", sale_id=ids["flash"], reason=reason, epoch=seq, seq=seq, shopper_id=shopper, units=1, slots=1)
        self.next_unit = ALLOTTED
        await self.order("flashed", state="awaiting", units="held", sale="flash", epoch=2)
        self.next_unit = at_the_other_sale
        await self.conn.execute("UPDATE sale SET give_seq = 2 WHERE id = $1", ids["flash"])

    async def amount(self, order: str) -> int:
        return int(await self.conn.fetchval("SELECT amount_minor FROM orders WHERE id = $1", self.store.ids[order]))

    async def attempt(self, order: str, state: str, name: str = "") -> UUID:
        attempt, amount = self.named(f"attempt_{name or order}"), await self.amount(order)
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        await self.insert(
            "payment_attempt", id=attempt, order_id=self.store.ids[order], account_id=self.store.ids["account"], out_trade_no=attempt.hex,
            notify_url="http://x/", return_url="http://x/", state=state, amount_minor=amount, currency="CNY", expires_at=soon,
            next_try_at=soon if state == "open" else None,
        )  # fmt: skip
        self.store.books["orders"].append(
            {"out_trade_no": attempt.hex, "total": amount, "currency": "CNY", "state": "SUCCESS" if state == "paid" else "NOTPAY"}
        )
        return attempt

    async def paid(self, order: str, *, disposition: str = "applied", name: str = "") -> None:
        name = name or order
        attempt, amount = await self.attempt(order, "paid", name), await self.amount(order)
        payment, txn_id = self.named(f"payment_{name}"), f"42{attempt.hex}"
        await self.insert(
            "payment", id=payment, account_id=self.store.ids["account"], attempt_id=attempt, order_id=self.store.ids[order],
            txn_id=txn_id, amount_minor=amount, currency="CNY", disposition=disposition, paid_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        credit = "revenue" if disposition == "applied" else "unapplied"
        await self.book("sale" if disposition == "applied" else "receipt", payment, name, {"clearing": amount, credit: -amount})
        self.store.books["payments"].append({"out_trade_no": attempt.hex, "transaction_id": txn_id, "amount": amount, "currency": "CNY"})

    async def book(self, kind: str, reference: UUID, name: str, entries: dict[str, int]) -> None:
        tx = self.named(f"tx_{name}")
        await self.insert("ledger_tx", id=tx, kind=kind, reference=reference, currency="CNY")
        for account, amount in entries.items():
            await self.insert("ledger_entry", tx_id=tx, account=account, amount_minor=amount)

    async def deliver(self, order: str, *, revealed: bool = False) -> None:
        sql = """INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id, revealed_at)
                 SELECT tenant_id, id, order_id, sale_id, CASE WHEN $2 THEN now() END FROM unit WHERE order_id = $1"""
        await self.conn.execute(sql, self.store.ids[order], revealed)
        if revealed:
            subject = f"ord_{self.store.ids[order].hex}"
            await self.insert("audit", id=self.named("reveal"), actor="shopper", action="codes.revealed", subject=subject)
            await self.link()

    async def replaced(self, order: str) -> None:
        """What the order has stands in for a unit that was faulty."""
        faulty, good = self.store.ids["units"][-3], self.store.ids[f"unit_{order}"]
        self.store.ids["faulty"] = faulty
        await self.conn.execute("UPDATE unit SET state = 'quarantined' WHERE id = $1", faulty)
        sql = """INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id, replaced_by, replaced_at)
                 SELECT tenant_id, $1, order_id, sale_id, unit_id, now() FROM delivery WHERE unit_id = $2"""
        await self.conn.execute(sql, faulty, good)
        for unit, act, was, now in ((faulty, "replace", "sold", "quarantined"), (good, "stand_in", "available", "sold")):
            await self.insert("unit_event", unit_id=unit, actor="test", act=act, from_state=was, to_state=now)

    async def link(self) -> None:
        """Link all entries there are, as the worker does."""
        entries = [chain.Entry(*row) for row in await self.conn.fetch(f"SELECT {chain.COLUMNS} FROM audit ORDER BY id")]
        links = chain.extend(self.tenant, chain.root(self.tenant), entries)
        for entry, head in zip(entries, links, strict=True):
            await self.insert("audit_link", seq=head.seq, audit_id=entry.id, hash=head.hash)
        await self.insert("audit_head", seq=links[-1].seq, hash=links[-1].hash)

    async def parted(self) -> None:
        """An order that was refunded in part: one of its two units, which did not cost the same."""
        await self.order("parted", state="delivered", quantity=2, units="sold")
        for unit, paid in ((self.store.ids["unit_parted"] - 1, PRICE - 90), (self.store.ids["unit_parted"], PRICE + 90)):
            await self.conn.execute("UPDATE unit SET paid_minor = $2 WHERE id = $1", unit, paid)
        await self.paid("parted")
        await self.deliver("parted")
        await self.refund("parted", "succeeded", part=PRICE - 90)
        await self.quarantine("parted")

    async def points(self) -> None:
        """Of a point for each whole unit of money: some spent, a part gone back, and all gone back of which some was spent."""
        await self.insert("points_order", id=self.store.ids["doubled"], next_try_at=self.soon)
        await self.account("delivered", {"order": 19, "staff": -5})
        await self.account("parted", {"order": 19, "refund": -8}, refunded_minor=PRICE - 90, taken=8, growth_back=8)
        await self.account("refunded", {"order": 9, "staff": -6, "refund": -3}, refunded_minor=PRICE, taken=3, owed=6, growth_back=9)

    async def account(self, order: str, moved: dict[str, int], **went: int) -> None:
        """What moved the points of an order's shopper, each time from the one lot that the order brought."""
        ids = self.store.ids
        shopper, balance, earned = ids[f"shopper_{order}"], 0, moved["order"]
        left, owed = sum(moved.values()), went.get("owed", 0)
        await self.insert("points_account", id=shopper, balance=left, owed=owed, entries=len(moved), next_try_at=self.soon)
        for seq, (kind, amount) in enumerate(moved.items(), 1):
            balance += amount
            about = {"order_id": None, "once": None} if kind == "staff" else {"order_id": ids[order], "once": f"{kind}:{ids[order].hex}"}
            await self.insert("points_entry", shopper_id=shopper, seq=seq, amount=amount, kind=kind, balance=balance, **about)
            if amount > 0:
                ready_at = dt.datetime.now(dt.UTC)
                await self.insert("points_lot", shopper_id=shopper, seq=seq, amount=amount, remaining=left, ready_at=ready_at)
            else:
                await self.insert("points_consumption", shopper_id=shopper, seq=seq, lot_seq=1, amount=-amount)
        sql = "UPDATE orders SET delivered_at = coalesce(delivered_at, now()) WHERE id = $1 RETURNING amount_minor, delivered_at"
        amount_minor, delivered_at = await self.conn.fetchrow(sql, ids[order])
        await self.insert(
            "points_order", id=ids[order], shopper_id=shopper, settled_at=delivered_at, delivered_at=delivered_at,
            amount_minor=amount_minor, lot_seq=1, earned=earned, growth=earned, next_try_at=None, **went,
        )  # fmt: skip

    async def quarantine(self, name: str) -> None:
        """The first unit of an order is refunded."""
        ids = self.store.ids
        sql = """WITH gone AS (SELECT * FROM unit WHERE order_id = $1 ORDER BY id LIMIT 1),
                 told AS (INSERT INTO refund_unit (tenant_id, refund_id, unit_id, order_id, sale_id, amount_minor)
                          SELECT tenant_id, $2, id, order_id, sale_id, coalesce(paid_minor, $3) FROM gone)
                 UPDATE unit SET state = 'quarantined', order_id = NULL, shopper_id = NULL, slot = NULL, sale_id = NULL, paid_minor = NULL
                 FROM gone WHERE unit.id = gone.id RETURNING unit.id"""
        ids[f"gone_{name}"] = await self.conn.fetchval(sql, ids[name], ids[f"refund_{name}"], PRICE)
        await self.conn.execute("UPDATE sale SET allotted = allotted - 1, committed = committed - 1 WHERE id = $1", ids["sale"])

    async def refund(self, name: str, state: str, *, part: int = 0) -> None:
        """Refund the payment `name`, or a `part` of it."""
        sql = "SELECT order_id, amount_minor, disposition, txn_id FROM payment WHERE id = $1"
        order, amount, disposition, txn_id = await self.conn.fetchrow(sql, self.store.ids[f"payment_{name}"])
        refund, done, amount = self.named(f"refund_{name}"), state == "succeeded", part or amount
        now = dt.datetime.now(dt.UTC)
        await self.insert(
            "refund", id=refund, payment_id=self.store.ids[f"payment_{name}"], order_id=order, out_refund_no=refund.hex,
            reason="requested" if disposition == "applied" else disposition, amount_minor=amount, currency="CNY", state=state,
            finished_at=now if done else None, next_try_at=None if done else now + dt.timedelta(days=1),
        )  # fmt: skip
        if done:
            debit = "revenue" if disposition == "applied" else "unapplied"
            await self.book("refund", refund, f"refund_{name}", {"clearing": -amount, debit: amount})
        self.store.books["refunds"].append(
            {
                "out_trade_no": self.store.ids[f"attempt_{name}"].hex, "transaction_id": txn_id, "out_refund_no": refund.hex,
                "amount": amount, "currency": "CNY", "status": "SUCCESS" if done else "PROCESSING",
            }
        )  # fmt: skip


def code_of(slug: str, n: int) -> str:
    return f"CARD-{slug}-{n:04}-WXYZ"
