"""What endpoints are told, in which order, how often, and what happens when they do not want to hear."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tenants.webhooks import queue, sender
from tenants.webhooks.queue import BACKOFF_S
from tests.plans import scans
from tests.postbox import Postbox, uuid_of
from tests.receiver import Hook, Receiver
from tests.shop import Store
from workers import webhooks

TOLD = ["sale.published", "sale.paused", "sale.resumed"]


class TestOrder:
    async def test_all_is_told_once_in_order_and_verified(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        sale = await postbox.happen(acme, times=3)
        await postbox.run(acme)
        book = hook.book()
        assert [received["type"] for received in book] == ["sale.published", *["sale.paused", "sale.resumed"] * 3]
        assert all(received["verified"] and not received["duplicate"] for received in book)
        first = json.loads(book[0]["body"])
        assert (first["version"], first["data"]["sale_id"], first["data"]["change"]) == (1, sale, "created")
        assert {delivery["state"] for delivery in await postbox.log(acme, endpoint_id=endpoint)} == {"delivered"}
        await postbox.run(acme)
        assert len(hook.book()) == len(book)

    async def test_only_who_wants_it_hears_it_and_nobody_of_another_tenant(
        self, acme: Store, globex: Store, receiver: Receiver, postbox: Postbox
    ) -> None:
        some, other, foreign = receiver.hook(), receiver.hook(), receiver.hook()
        await postbox.endpoint(acme, some, "sale.paused")
        await postbox.endpoint(acme, other, "order.paid")
        await postbox.endpoint(globex, foreign)
        await postbox.happen(acme)
        await postbox.run(acme)
        await postbox.run(globex)
        assert (some.types(), other.types(), foreign.types()) == (["sale.paused"], [], [])

    async def test_nothing_from_before_the_endpoint_was(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        sale = await postbox.happen(acme)
        await postbox.endpoint(acme, hook)
        await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        await postbox.run(acme)
        assert hook.types() == ["sale.ended"]

    async def test_the_next_waits_for_the_one_that_failed(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        hook.does("error", times=2)
        await postbox.happen(acme)
        await postbox.run(acme)
        for _ in range(3):
            await postbox.later(acme)
            await postbox.sweep(acme)
        assert hook.types() == ["sale.published"] * 3 + ["sale.paused", "sale.resumed"]
        assert len({received["id"] for received in hook.book()[:3]}) == 1
        [first, *_] = await postbox.log(acme)
        attempts = (await acme.ask("GET", f"/v1/webhook-deliveries/{first['id']}", acme.merchant))["attempts"]
        assert [attempt["status"] for attempt in attempts] == [500, 500, 204]
        assert [len(attempt["answer"]) for attempt in attempts] == [1024, 1024, 0]
        assert attempts[0]["request_id"] == hook.book()[0]["headers"]["x-request-id"]

    async def test_what_comes_meanwhile_wakes_no_queue_that_waits(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        hook.does("error")
        await postbox.happen(acme)
        await postbox.run(acme)
        await postbox.happen(acme)
        await postbox.run(acme)
        assert hook.types() == ["sale.published"]
        assert await postbox.due(acme) == []

    async def test_two_workers_deliver_nothing_twice(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = uuid_of(await postbox.endpoint(acme, hook))
        await postbox.happen(acme, times=5)
        other = webhooks.Postman(postbox.pool, acme.process.keyring, postbox.sender)
        await postbox.relay.send(acme.tenant_id)
        await asyncio.gather(*(each.call(acme.tenant_id, endpoint) for each in (postbox.postman, other, other, postbox.postman)))
        await asyncio.gather(postbox.postman.settled(), other.settled())
        assert hook.types() == ["sale.published", *["sale.paused", "sale.resumed"] * 5]

    async def test_without_the_claim_they_would(self, acme: Store, hook: Hook, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
        endpoint = uuid_of(await postbox.endpoint(acme, hook))
        await postbox.happen(acme, times=5)
        claim = queue.claim

        async def anyones(tx: Any, endpoint_id: Any) -> Any:
            sql = "UPDATE webhook_endpoint SET next_try_at = now(), lease = NULL WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, tx.tenant_id, endpoint_id)
            return await claim(tx, endpoint_id)

        monkeypatch.setattr(queue, "claim", anyones)
        monkeypatch.setattr(queue, "uuid4", lambda: endpoint)  # everybody's lease
        other = webhooks.Postman(postbox.pool, acme.process.keyring, postbox.sender)
        await postbox.relay.send(acme.tenant_id)
        hook.does("drip")
        monkeypatch.setattr(sender, "TOTAL_S", 0.2)
        await asyncio.gather(*(each.call(acme.tenant_id, endpoint) for each in (postbox.postman, other)))
        await asyncio.gather(postbox.postman.settled(), other.settled())
        assert any(received["duplicate"] for received in hook.book())


class TestFanOut:
    async def test_the_same_rows_again_queue_nothing_twice(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        await postbox.happen(acme)
        await postbox.relay.send(acme.tenant_id)
        again = "UPDATE outbox SET next_try_at = now() - interval '1 s', fanned_out = false WHERE tenant_id = $1"
        await postbox.rows(acme, again)
        await postbox.run(acme)
        await postbox.sweep(acme)
        assert hook.types() == TOLD

    async def test_without_redis_webhooks_go_out_all_the_same(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        await postbox.happen(acme)

        async def away(*_: object) -> None:
            raise OSError("Redis is away")

        postbox.relay._publish = away  # type: ignore[method-assign]
        with pytest.raises(OSError, match="away"):
            await postbox.relay.send(acme.tenant_id)
        await postbox.sweep(acme)
        assert hook.types() == TOLD
        left = await postbox.rows(acme, "SELECT fanned_out FROM outbox WHERE tenant_id = $1 AND next_try_at IS NOT NULL")
        assert {row[0] for row in left} == {True}

    async def test_a_tenant_without_endpoints_costs_one_statement(self, acme: Store, postbox: Postbox) -> None:
        await postbox.happen(acme)
        asked: list[str] = []
        async with postbox.pool.acquire() as conn:
            with conn.query_logger(lambda record: asked.append(record.query)):
                await type(postbox.relay)(conn, acme.process.redis).send(acme.tenant_id)
                await asyncio.sleep(0)
        assert [sql.split()[0] for sql in asked] == ["BEGIN;", "SELECT", "SELECT", "WITH", "UPDATE", "COMMIT"]
        assert "webhook_endpoint" in asked[2]
        assert "event_entry" in asked[3], "and one, whoever listens, for the store's list of events"


class TestFailure:
    async def failed(self, acme: Store, hook: Hook, postbox: Postbox, behaviour: str, **more: Any) -> tuple[float, dict[str, Any]]:
        """Seconds until the next try, and the attempt."""
        await postbox.endpoint(acme, hook, "sale.published")
        hook.does(behaviour, **more)
        await acme.sale(1)
        await postbox.run(acme)
        sql = "SELECT extract(epoch FROM next_try_at - now())::float8 FROM webhook_endpoint WHERE tenant_id = $1"
        [[wait_s]] = await postbox.rows(acme, sql)
        [delivery] = await postbox.log(acme)
        detail = await acme.ask("GET", f"/v1/webhook-deliveries/{delivery['id']}", acme.merchant)
        return wait_s, detail["attempts"][-1] | {"state": delivery["state"]}

    async def test_waits_longer_each_time_and_gives_up(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        wait_s, _ = await self.failed(acme, hook, postbox, "error")
        waits = [wait_s]
        while len(waits) <= len(BACKOFF_S):
            await postbox.later(acme, waits[-1] + 0.1)
            await postbox.sweep(acme)
            sql = "SELECT extract(epoch FROM next_try_at - now())::float8 FROM webhook_endpoint WHERE tenant_id = $1"
            [[wait_s]] = await postbox.rows(acme, sql)
            if wait_s is None:
                break
            waits.append(wait_s)
        assert all(0.79 * want < got < 1.21 * want for got, want in zip(waits, BACKOFF_S, strict=True))
        assert 3 * 86_400 < sum(BACKOFF_S) < 3.5 * 86_400
        [delivery] = await postbox.log(acme)
        assert (delivery["state"], delivery["attempts"]) == ("given_up", len(BACKOFF_S) + 1)
        hook.does("ok")
        await acme.sale(1)
        await postbox.run(acme)
        assert [each["state"] for each in await postbox.log(acme)] == ["given_up", "delivered"]

    @pytest.mark.parametrize(("behaviour", "status"), [("busy", 503), ("limited", 429)])
    async def test_retry_after_is_honoured(self, acme: Store, hook: Hook, postbox: Postbox, behaviour: str, status: int) -> None:
        wait_s, attempt = await self.failed(acme, hook, postbox, behaviour, retry_after="600")
        assert attempt["status"] == status
        assert 595 < wait_s <= 600

    @pytest.mark.parametrize(
        ("text", "least_s", "most_s"),
        [
            (None, 600, 900),
            ("99999999999", 43_000, 43_200),
            ("-5", 3, 7),
            ("soon", 3, 7),
            ("1", 3, 7),
            ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", 3, 7),
        ],
        ids=["a date", "years", "the past", "a word", "a second", "a year that no clock knows"],
    )
    async def test_retry_after_as_it_comes(
        self, acme: Store, hook: Hook, postbox: Postbox, text: str | None, least_s: float, most_s: float
    ) -> None:
        if text is None:  # a date is said when the test runs: a long suite comes here minutes after it was collected
            text = format_datetime(datetime.now(UTC) + timedelta(seconds=900), usegmt=True)
        wait_s, _ = await self.failed(acme, hook, postbox, "busy", retry_after=text)
        assert least_s < wait_s <= most_s

    async def test_410_ends_it_at_once(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        _, attempt = await self.failed(acme, hook, postbox, "gone")
        assert (attempt["status"], attempt["state"]) == (410, "given_up")
        [endpoint] = (await acme.ask("GET", "/v1/webhook-endpoints", acme.merchant))["items"]
        assert (endpoint["enabled"], endpoint["disabled_because"]) == (False, "gone")
        [[audited]] = await postbox.rows(acme, "SELECT count(*) FROM audit WHERE tenant_id = $1 AND action = 'webhook_endpoint.disabled'")
        assert audited == 1
        cases = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert [(case["kind"], case["detail"]) for case in cases] == [("webhook_endpoint_disabled", {"because": "gone"})]
        await acme.sale(1)
        await postbox.run(acme)
        assert len(hook.book()) == 1

    async def test_a_redirect_is_not_followed(self, acme: Store, hook: Hook, receiver: Receiver, postbox: Postbox) -> None:
        elsewhere = receiver.hook()
        _, attempt = await self.failed(acme, hook, postbox, "redirect", location=elsewhere.url)
        assert (attempt["status"], attempt["state"], elsewhere.book()) == (302, "waiting", [])

    async def test_an_endless_answer_is_cut_and_counts_by_its_status(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        _, attempt = await self.failed(acme, hook, postbox, "flood")
        assert (attempt["status"], attempt["state"], attempt["answer"]) == (200, "delivered", "x" * 1024)

    @pytest.mark.parametrize("behaviour", ["hang", "drip"])
    async def test_a_slow_answer_is_none(
        self, acme: Store, hook: Hook, postbox: Postbox, monkeypatch: pytest.MonkeyPatch, behaviour: str
    ) -> None:
        monkeypatch.setattr(sender, "TOTAL_S", 0.3)
        _, attempt = await self.failed(acme, hook, postbox, behaviour)
        assert (attempt["status"], attempt["failure"], attempt["state"]) == (None, "no answer within 0.3 s", "waiting")
        assert 290 <= attempt["duration_ms"] < 2_000

    async def test_five_days_without_success_end_it(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await self.failed(acme, hook, postbox, "error")
        await postbox.later(acme, 4.9 * 86_400)
        await postbox.sweep(acme)
        assert (await acme.ask("GET", "/v1/webhook-endpoints", acme.merchant))["items"][0]["enabled"]
        await postbox.later(acme, 0.2 * 86_400)
        await postbox.sweep(acme)
        [endpoint] = (await acme.ask("GET", "/v1/webhook-endpoints", acme.merchant))["items"]
        assert (endpoint["enabled"], endpoint["disabled_because"]) == (False, "failing")
        assert [case["kind"] for case in (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]] == [
            "webhook_endpoint_disabled"
        ]
        # Enabled again, it goes on where it was.
        hook.does("ok")
        await acme.ask("PATCH", f"/v1/webhook-endpoints/{endpoint['id']}", acme.merchant, {"enabled": True})
        await postbox.sweep(acme)
        assert hook.types()[-1] == "sale.published"
        assert [delivery["state"] for delivery in await postbox.log(acme)] == ["delivered"]


class TestChanges:
    async def test_another_url_is_tried_at_once(self, acme: Store, receiver: Receiver, postbox: Postbox) -> None:
        old, new = receiver.hook(), receiver.hook()
        endpoint = await postbox.endpoint(acme, old)
        old.does("error")
        await acme.sale(1)
        await postbox.run(acme)
        new.does("ok", *old.secrets)
        await acme.ask("PATCH", f"/v1/webhook-endpoints/{endpoint}", acme.merchant, {"url": new.url})
        await postbox.sweep(acme)
        assert [received["verified"] for received in new.book()] == [True]

    async def test_disabled_by_the_merchant_it_hears_nothing_new_and_what_waited_later(
        self, acme: Store, hook: Hook, postbox: Postbox
    ) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        hook.does("error", times=1)
        sale = await acme.sale(1)
        await postbox.run(acme)
        await acme.ask("PATCH", f"/v1/webhook-endpoints/{endpoint}", acme.merchant, {"enabled": False})
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        await postbox.run(acme)
        await postbox.later(acme)
        await postbox.sweep(acme)
        assert hook.types() == ["sale.published"]
        await acme.ask("PATCH", f"/v1/webhook-endpoints/{endpoint}", acme.merchant, {"enabled": True})
        await postbox.sweep(acme)
        assert hook.types() == ["sale.published"] * 2

    async def test_both_secrets_sign_for_a_day(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        [old] = hook.secrets
        new = (await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/rotate-secret", acme.merchant))["secret"]
        for wanted, passed_s in (([old, new], 0), ([new], 86_401)):
            await postbox.later(acme, passed_s)
            for secret in (old, new):
                hook.does("ok", secret)
                await acme.sale(1)
                await postbox.run(acme)
                last = hook.book()[-1]
                assert last["verified"] == (secret in wanted)
                assert last["signatures"] == len(wanted)

    async def test_deleted_nothing_more_is_sent(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        hook.does("error")
        await acme.sale(1)
        await postbox.run(acme)
        await acme.ask("DELETE", f"/v1/webhook-endpoints/{endpoint}", acme.merchant)
        await postbox.later(acme)
        await postbox.sweep(acme)
        assert len(hook.book()) == 1
        assert [delivery["state"] for delivery in await postbox.log(acme)] == ["cancelled"]

    async def test_a_cancelled_one_lets_the_next_go_on(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        hook.does("error", times=1)
        await postbox.happen(acme)
        await postbox.run(acme)
        [head, *_] = await postbox.log(acme)
        await acme.ask("POST", f"/v1/webhook-deliveries/{head['id']}/cancel", acme.merchant)
        await postbox.sweep(acme)
        assert hook.types() == TOLD
        assert [delivery["state"] for delivery in await postbox.log(acme)] == ["cancelled", "delivered", "delivered"]


class TestRedelivery:
    async def test_of_one_with_the_same_id(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook)
        await acme.sale(1)
        await postbox.run(acme)
        [delivery] = await postbox.log(acme)
        again = await acme.ask("POST", f"/v1/webhook-deliveries/{delivery['id']}/redeliver", acme.merchant)
        assert (again["id"], again["state"]) == (delivery["id"], "waiting")
        await postbox.sweep(acme)
        assert [received["duplicate"] for received in hook.book()] == [False, True]
        assert hook.book()[1]["id"] == delivery["event_id"]

    async def test_of_all_that_failed_since_in_order(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        await postbox.happen(acme, times=2)
        await postbox.run(acme)
        sql = "UPDATE webhook_delivery SET state = 'given_up' WHERE tenant_id = $1 AND type <> 'sale.published'"
        await postbox.rows(acme, sql)
        since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        answer = await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/redeliver", acme.merchant, {"since": since})
        assert answer == {"deliveries": 4}
        await postbox.sweep(acme)
        assert hook.types()[5:] == ["sale.paused", "sale.resumed"] * 2
        later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        answer = await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/redeliver", acme.merchant, {"since": later})
        assert answer == {"deliveries": 0}


async def test_no_statement_reads_a_whole_table(acme: Store, hook: Hook, postbox: Postbox) -> None:
    """In a webhook's whole life. The database is young, and the plans it makes now would be kept while it grows."""
    asked: set[str] = set()
    await postbox.endpoint(acme, hook)
    async with postbox.pool.acquire() as conn:
        postman = webhooks.Postman(conn, acme.process.keyring, postbox.sender)  # type: ignore[arg-type]
        with conn.query_logger(lambda record: asked.add(record.query)):
            for behaviour in ("error", "ok"):
                hook.does(behaviour)
                await postbox.happen(acme)
                for endpoint_id in await type(postbox.relay)(conn, acme.process.redis).send(acme.tenant_id):
                    await postman.call(acme.tenant_id, endpoint_id)
                await postman.settled()
                await postbox.later(acme)
            await asyncio.sleep(0)
    statements = {sql for sql in asked if "webhook_" in sql}
    assert len(statements) >= 8
    found = {sql: scanned for sql in statements if (scanned := await scans(postbox.pool, acme.tenant_id, sql))}
    # A store has 20 endpoints at most: their primary key may be read by the tenant.
    assert {index for scanned in found.values() for index in scanned} <= {"webhook_endpoint_pkey"}, found
