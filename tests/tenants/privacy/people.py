"""A shopper with something of his in every place where the registry says it may be."""

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from api.process import Process
from checkout_core import tokens
from checkout_core.ids import decode, encode, new_id
from tenants import delivery
from tenants.db import tenant_tx
from tenants.privacy import duty
from tests.security.world import bearer, provider_account
from tests.shop import Store


class Person(NamedTuple):
    """`words` stand in what is held about him and nowhere else."""

    store: Store
    headers: dict[str, str]
    shopper_id: UUID
    order_id: UUID
    contact: str
    words: list[str]

    @property
    def ref(self) -> str:
        return encode("shp", self.shopper_id)


async def buyer(store: Store, *, contact: str = "", delivered: bool = True) -> Person:
    """Somebody who has bought, left his contact, and is mentioned in free text everywhere."""
    headers = await store.guest()
    shopper_id = tokens.verify(store.process.keys.shoppers, bearer(headers)).id
    contact = contact or f"Canary-{uuid4().hex}@example.org"
    sale = await store.sale()
    body = {"sale_id": sale, "quantity": 1, "contact": contact, "lookup_password": "open sesame"}
    answer = await store.client.post("/v1/checkouts", json=body, headers=headers | {"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    order_id = decode("ord", answer.json()["id"])
    account = await store.ask("POST", "/v1/provider-accounts", store.merchant, provider_account())
    payer = f"payer-{uuid4().hex}"
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:

        async def insert(table: str, **values: Any) -> None:
            columns = ["tenant_id", *values]
            marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
            await tx.conn.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", tx.tenant_id, *values.values())

        attempt_id, account_id = new_id(), decode("acc", account["id"])
        sql = """INSERT INTO payment_attempt (tenant_id, id, order_id, account_id, out_trade_no, state, amount_minor, currency, pay_url,
                                              notify_url, return_url, expires_at)
                 VALUES ($1, $2, $3, $4, $5, 'paid', 9900, 'CNY', $6, '', '', now())"""
        await tx.conn.execute(sql, tx.tenant_id, attempt_id, order_id, account_id, attempt_id.hex, f"https://pay.example/{payer}")
        if delivered:
            sql = """INSERT INTO payment (tenant_id, id, account_id, attempt_id, order_id, txn_id, amount_minor, currency, disposition,
                                          paid_at)
                     VALUES ($1, $2, $3, $4, $5, $6, 9900, 'CNY', 'applied', now()) RETURNING paid_at"""
            paid_at = await tx.conn.fetchval(sql, tx.tenant_id, new_id(), account_id, attempt_id, order_id, uuid4().hex)
            await delivery.deliver(tx, order_id, shopper_id, paid_at)
        notice = msgspec.json.encode({"out_trade_no": attempt_id.hex, "payer": payer})
        await insert(
            "payment_inbox", id=new_id(), account_id=account_id, event_id=uuid4().hex, notice=notice.decode(), raw=notice, state="done",
            outcome="applied", next_try_at=None,
        )  # fmt: skip
        mail = msgspec.json.encode({"to": contact, "text": f"Dear {contact}!"}).decode()
        await insert("outbox", id=new_id(), topic="mail", payload=mail, next_try_at=None)
        await insert("mail", id=new_id(), recipient=contact, template="order_ready", locale="en", content="{}", next_try_at=None)
        await insert("exception_case", id=new_id(), kind="mail_refused", reference=uuid4().hex, detail=mail)
        asked = {"locale": "en", "shop_url": "https://example.org"}
        await insert("sale_reminder", id=new_id(), sale_id=decode("sal", sale), kind="back", contact=contact.lower(), **asked)
        await insert("idempotent_reply", key=uuid4().hex, request_hash=b"", status=201, body=mail.encode())
        event, webhook = new_id(), new_id()
        await insert("webhook_event", id=event, type="exception.reported", body=mail)
        done = {"state": "delivered", "finished_at": dt.datetime.now(dt.UTC)}
        await insert("webhook_delivery", id=webhook, endpoint_id=new_id(), event_id=event, type="exception.reported", seq=1, **done)
        await insert("webhook_attempt", delivery_id=webhook, id=new_id(), at=done["finished_at"], duration_ms=1, status=200, answer=mail)
    return Person(store, headers, shopper_id, order_id, contact, [contact, payer])


async def work(process: Process, store: Store, request: str, *, times: int = 1) -> None:
    """What a worker does for a request whose time has come."""
    for _ in range(times):
        async with tenant_tx(process.app_pool, store.tenant_id) as tx:
            sql = "UPDATE data_request SET next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL"
            await tx.conn.execute(sql, tx.tenant_id, decode("dat", request))
        await duty.carry_out(process.app_pool, process.keyring, store.tenant_id, decode("dat", request))


async def erased(process: Process, person: Person) -> str:
    """Have him erased, both passes; the request."""
    asked = await person.store.ask("POST", f"/v1/shoppers/{person.ref}/erasure", person.store.merchant)
    await work(process, person.store, asked["id"], times=2)
    return str(asked["id"])
