"""Webhooks through the API: endpoints and their secrets, test sends, the log, the catalogue. The matrix says who may do what."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from tenants.webhooks import endpoints
from tenants.webhooks.catalogue import KINDS, TEST
from tests.postbox import Postbox, postbox
from tests.receiver import Hook, hook, receiver
from tests.shop import Store

__all__ = ["hook", "postbox", "receiver"]

NEW = {"url": "https://hooks.example.com/tessera", "event_types": ["order.paid", "order.delivered"]}


async def made(store: Store, **changes: Any) -> Any:
    return await store.ask("POST", "/v1/webhook-endpoints", store.merchant, NEW | changes)


class TestCreate:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/webhook-endpoints", json=NEW)).status_code == 401

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/webhook-endpoints", json=NEW, headers=await acme.key_with("webhooks:read"))
        assert (response.status_code, response.json()["permission"]) == (403, "webhooks:write")

    async def test_shows_the_secret_once(self, acme: Store) -> None:
        created = await made(acme)
        assert created["secret"].startswith("whsec_")
        assert len(Webhook(created["secret"])._whsecret) == 32
        listed = await acme.ask("GET", "/v1/webhook-endpoints", acme.merchant)
        assert listed["items"] == [created["endpoint"]]
        assert created["secret"] not in str(listed)

    async def test_the_secret_lies_sealed(self, acme: Store, postbox: Postbox) -> None:
        created = await made(acme)
        [[sealed]] = await postbox.rows(acme, "SELECT secret FROM webhook_endpoint WHERE tenant_id = $1")
        assert Webhook(created["secret"])._whsecret not in sealed
        audited = await postbox.rows(acme, "SELECT action, detail FROM audit WHERE tenant_id = $1 AND action LIKE 'webhook%'")
        assert [row["action"] for row in audited] == ["webhook_endpoint.created"]
        assert created["secret"] not in audited[0]["detail"]

    async def test_the_audit_keeps_the_host_alone(self, acme: Store, postbox: Postbox) -> None:
        """More people read it than may see endpoints, and nothing goes from it: the path may be what the receiver knows us by."""
        made_ = await acme.ask(
            "POST", "/v1/webhook-endpoints", acme.merchant, {"url": "https://example.com/s3cret?k=s3cret", "event_types": ["*"]}
        )
        path = f"/v1/webhook-endpoints/{made_['endpoint']['id']}"
        await acme.ask("PATCH", path, acme.merchant, {"url": "https://example.org:8443/s3cret"})
        await acme.ask("DELETE", path, acme.merchant)
        audited = await postbox.rows(acme, "SELECT detail->>'url' FROM audit WHERE tenant_id = $1 AND action LIKE 'webhook%' ORDER BY id")
        assert [row[0] for row in audited] == ["https://example.com", "https://example.org:8443", "https://example.org:8443"]

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.com/", "https://10.0.0.1/", "https://localhost/", "https://169.254.169.254/", "http://192.168.0.1/",
            "https://user:pw@example.com/", "ftp://example.com/", "https://0x7f.1/", "https://[::ffff:127.0.0.1]/", "x",
        ],
    )  # fmt: skip
    async def test_a_url_that_leads_inside(self, client: httpx.AsyncClient, acme: Store, url: str) -> None:
        response = await client.post("/v1/webhook-endpoints", json=NEW | {"url": url}, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "webhook_address_refused")

    async def test_an_event_that_is_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/webhook-endpoints", json=NEW | {"event_types": ["order.eaten"]}, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "unknown_event_type")
        assert "order.paid" in response.json()["event_types"]

    async def test_twenty_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        for _ in range(endpoints.ENDPOINTS_MAX):
            await made(acme)
        response = await client.post("/v1/webhook-endpoints", json=NEW, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (409, "too_many_webhook_endpoints")


class TestChange:
    async def test_what_is_left_out_stays(self, acme: Store) -> None:
        endpoint = (await made(acme, description="books"))["endpoint"]
        path = f"/v1/webhook-endpoints/{endpoint['id']}"
        assert await acme.ask("PATCH", path, acme.merchant, {}) == endpoint
        changed = await acme.ask("PATCH", path, acme.merchant, {"event_types": ["*"], "description": ""})
        assert changed == endpoint | {"event_types": ["*"], "description": ""}
        assert await acme.ask("GET", path, acme.merchant) == changed

    async def test_switched_off_and_on(self, acme: Store) -> None:
        path = f"/v1/webhook-endpoints/{(await made(acme))['endpoint']['id']}"
        off = await acme.ask("PATCH", path, acme.merchant, {"enabled": False})
        assert (off["enabled"], off["disabled_because"]) == (False, "merchant")
        on = await acme.ask("PATCH", path, acme.merchant, {"enabled": True})
        assert (on["enabled"], on["disabled_because"]) == (True, None)

    async def test_to_a_url_that_leads_inside(self, client: httpx.AsyncClient, acme: Store) -> None:
        path = f"/v1/webhook-endpoints/{(await made(acme))['endpoint']['id']}"
        response = await client.patch(path, json={"url": "https://10.0.0.1/"}, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "webhook_address_refused")
        assert (await acme.ask("GET", path, acme.merchant))["url"] == NEW["url"]


class TestTestSend:
    async def test_is_delivered_and_tells_what_came_back(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook, "order.paid")
        hook.does("text")
        tested = await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/test", acme.merchant)
        assert (tested["succeeded"], tested["status"], tested["answer"]) == (True, 200, "thanks")
        [received] = hook.book()
        assert (received["type"], received["verified"]) == ("webhook.test", True)
        detail = await acme.ask("GET", f"/v1/webhook-deliveries/{tested['delivery_id']}", acme.merchant)
        assert detail["delivery"]["state"] == "delivered"
        assert detail["body"] == received["body"]
        assert [attempt["request_id"] for attempt in detail["attempts"]] == [received["headers"]["x-request-id"]]

    @pytest.mark.parametrize(("behaviour", "status"), [("error", 500), ("gone", 410), ("redirect", 302)])
    async def test_a_failure_is_told_and_changes_nothing(
        self, acme: Store, hook: Hook, postbox: Postbox, behaviour: str, status: int
    ) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        hook.does(behaviour)
        tested = await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/test", acme.merchant)
        assert (tested["succeeded"], tested["status"]) == (False, status)
        assert (await acme.ask("GET", f"/v1/webhook-endpoints/{endpoint}", acme.merchant))["enabled"]
        assert [each["state"] for each in await postbox.log(acme)] == ["given_up"]

    async def test_nobody_there(self, acme: Store) -> None:
        endpoint = (await made(acme, url="http://127.0.0.1:9/"))["endpoint"]["id"]
        tested = await acme.ask("POST", f"/v1/webhook-endpoints/{endpoint}/test", acme.merchant)
        assert (tested["status"], tested["failure"]) == (None, "not connected: ConnectionRefusedError")


class TestLog:
    async def test_pages_and_filters(self, acme: Store, hook: Hook, postbox: Postbox, client: httpx.AsyncClient) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        await postbox.happen(acme, times=3)
        await postbox.run(acme)
        every = [each["id"] for each in await postbox.log(acme)]
        pages, cursor = [], ""
        while True:
            page = await acme.ask("GET", f"/v1/webhook-deliveries?limit=3{cursor}", acme.merchant)
            pages += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert pages == every[::-1]
        assert len(await postbox.log(acme, type="sale.paused")) == 3
        assert len(await postbox.log(acme, state="delivered", endpoint_id=endpoint)) == 7
        assert await postbox.log(acme, state="given_up") == []
        assert await postbox.log(acme, endpoint_id=f"whe_{uuid4().hex}") == []
        odd = await client.get("/v1/webhook-deliveries?cursor=x", headers=acme.merchant)
        assert (odd.status_code, odd.json()["code"]) == (400, "bad_cursor")
        odd = await client.get("/v1/webhook-deliveries?state=eaten", headers=acme.merchant)
        assert odd.status_code == 400

    async def test_what_waits_shows_when_it_is_tried_next(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        endpoint = await postbox.endpoint(acme, hook)
        hook.does("error")
        await acme.sale(1)
        await postbox.run(acme)
        shown = await acme.ask("GET", f"/v1/webhook-endpoints/{endpoint}", acme.merchant)
        assert datetime.fromisoformat(shown["next_try_at"]) > datetime.now(UTC)
        assert shown["failing_since"] is not None


class TestEvents:
    async def test_all_of_the_catalogue_with_what_they_carry(self, acme: Store) -> None:
        items = (await acme.ask("GET", "/v1/webhook-events", acme.merchant))["items"]
        assert {item["type"] for item in items} == {*KINDS, TEST.name}
        [paid] = [item for item in items if item["type"] == "order.paid"]
        assert paid["version"] == 1
        assert {"order_id", "amount_minor", "lines"} <= set(paid["data"]["$defs"]["Order"]["properties"])
