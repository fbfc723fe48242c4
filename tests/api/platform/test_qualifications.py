"""Reviewing merchants' qualifications: what waits, the documents, the decisions, and the whole way from a draft to what it allows."""

import datetime as dt
from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tests.documents import JPEG, PDF, PNG
from tests.platform import signed_in
from tests.shop import Store

LATER = (dt.datetime.now(dt.UTC) + dt.timedelta(days=365)).isoformat()
NEW = {"legal_name": "杭州点卡科技有限公司", "registration_number": "91330100MA2CFXXX1A"}
COMPANY = {"business_licence": PDF, "representative_id_front": PNG, "representative_id_back": JPEG}


async def show(store: Store, qualification: str, shows: str, content: bytes) -> dict[str, Any]:
    headers = store.merchant | {"Content-Type": "application/octet-stream"}
    response = await store.client.post(f"/v1/qualifications/{qualification}/documents?shows={shows}", content=content, headers=headers)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def submitted(store: Store, kind: str = "company", documents: dict[str, bytes] = COMPANY) -> str:
    """A qualification that waits for a reviewer; its id."""
    made = await store.ask("POST", "/v1/qualifications", store.merchant, NEW | {"kind": kind})
    for shows, content in documents.items():
        await show(store, made["id"], shows, content)
    await store.ask("POST", f"/v1/qualifications/{made['id']}/submit", store.merchant)
    return str(made["id"])


def at(store: Store, qualification: str) -> str:
    return f"/v1/platform/merchants/ten_{store.tenant_id.hex}/qualifications/{qualification}"


async def actions(process: Process, store: Store) -> list[tuple[str, str]]:
    """What the tenant's audit says of qualifications: (who, what)."""
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        sql = "SELECT left(actor, 3), action FROM audit WHERE tenant_id = $1 AND action LIKE 'qualification%' ORDER BY id"
        return [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


class TestJourney:
    async def test_from_a_draft_to_what_it_allows(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        reviewer = await signed_in(process, "reviewer")
        live = {"provider": "wechatpay", "mch_id": "1", "serial_no": "s", "private_key_pem": "x" * 64, "api_v3_key": "k" * 32,
                "provider_serial": "p", "provider_public_key_pem": "x" * 64}  # fmt: skip
        refused = await client.post("/v1/provider-accounts", json=live, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (403, "capability_missing")
        assert refused.json()["qualifications"] == ["individual", "sole_trader", "company"]

        qualification = await submitted(acme)
        taken = await acme.ask("POST", f"{at(acme, qualification)}/take", reviewer)
        assert taken["state"] == "in_review"
        assert taken["legal_name"] == NEW["legal_name"]
        document = taken["documents"][0]
        opened = await client.get(f"{at(acme, qualification)}/documents/{document['id']}", headers=reviewer)
        assert opened.content == PDF
        assert opened.headers["content-disposition"].startswith("attachment;")
        more = await acme.ask("POST", f"{at(acme, qualification)}/ask-more", reviewer, {"reasons": ["The licence is of last year."]})
        assert more["state"] == "more_wanted"

        told = await acme.ask("GET", f"/v1/qualifications/{qualification}", acme.merchant)
        assert told["reasons"] == ["The licence is of last year."]
        await show(acme, qualification, "other", PDF + b"\n")
        await acme.ask("POST", f"/v1/qualifications/{qualification}/submit", acme.merchant)
        await acme.ask("POST", f"{at(acme, qualification)}/take", reviewer)
        approved = await acme.ask("POST", f"{at(acme, qualification)}/approve", reviewer, {"valid_until": LATER})
        assert approved["state"] == "approved"

        can = await acme.ask("GET", "/v1/capabilities", acme.merchant)
        assert can == {
            "live": False, "live_providers": True, "sale_units_max": 10_000_000, "categories": ["general"], "qualifications": ["company"],
        }  # fmt: skip
        # Permitted now; that there is no adapter of this name is another matter.
        unknown = await client.post("/v1/provider-accounts", json=live, headers=acme.merchant)
        assert (unknown.status_code, unknown.json()["code"]) == (400, "bad_credentials")

        assert await actions(process, acme) == [
            ("key", "qualification.created"), *[("key", "qualification_document.added")] * 3, ("key", "qualification.submitted"),
            ("pst", "qualification.taken"), ("pst", "qualification_document.opened"), ("pst", "qualification.more_wanted"),
            ("key", "qualification_document.added"), ("key", "qualification.submitted"), ("pst", "qualification.taken"),
            ("pst", "qualification.approved"),
        ]  # fmt: skip
        admin = await signed_in(process)
        records = await acme.ask("GET", f"/v1/platform/records?merchant_id=ten_{acme.tenant_id.hex}", admin)
        assert [each["action"] for each in reversed(records["records"])] == [
            "qualification.taken", "qualification_document.opened", "qualification.more_wanted", "qualification.taken",
            "qualification.approved",
        ]  # fmt: skip


class TestWaiting:
    async def test_a_merchant_is_nobody_here(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/platform/qualifications", headers=acme.merchant)).status_code == 401

    async def test_pages_of_all_merchants_longest_waiting_first(self, process: Process, acme: Store, globex: Store) -> None:
        support = await signed_in(process, "support")
        ours = [await submitted(acme), await submitted(globex), await submitted(acme, "gift_cards", {"prepaid_card_record": PDF})]
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await acme.ask("GET", f"/v1/platform/qualifications?limit=2{cursor}", support)
            found += page["qualifications"]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        mine = [each for each in found if each["slug"] in (acme.slug, globex.slug)]
        assert [each["id"] for each in mine] == ours
        assert [each["id"] for each in found] == list(dict.fromkeys(each["id"] for each in found))
        assert mine[0]["kind"] == "company"
        assert "legal_name" not in mine[0]


class TestDecisions:
    async def test_support_only_looks(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        support = await signed_in(process, "support")
        qualification = await submitted(acme)
        seen = await acme.ask("GET", at(acme, qualification), support)
        assert seen["state"] == "submitted"
        assert (await actions(process, acme))[-1] == ("pst", "qualification.opened"), "it says a person's name and number"
        document = f"{at(acme, qualification)}/documents/{seen['documents'][0]['id']}"
        assert (await client.get(document, headers=support)).status_code == 403
        for act in ("take", "approve"):
            assert (await client.post(f"{at(acme, qualification)}/{act}", json={}, headers=support)).status_code == 403

    async def test_a_draft_is_the_merchants_own(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        reviewer = await signed_in(process, "reviewer")
        made = await acme.ask("POST", "/v1/qualifications", acme.merchant, NEW | {"kind": "company"})
        assert (await client.get(at(acme, made["id"]), headers=reviewer)).status_code == 404
        assert (await client.post(f"{at(acme, made['id'])}/take", json={}, headers=reviewer)).status_code == 404

    async def test_under_another_merchant_it_is_not_found(
        self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store
    ) -> None:
        reviewer = await signed_in(process, "reviewer")
        qualification = await submitted(acme)
        assert (await client.get(at(globex, qualification), headers=reviewer)).status_code == 404
        assert (await client.post(f"{at(globex, qualification)}/take", json={}, headers=reviewer)).status_code == 404
        seen = await acme.ask("GET", at(acme, qualification), reviewer)
        document = f"{at(globex, qualification)}/documents/{seen['documents'][0]['id']}"
        assert (await client.get(document, headers=reviewer)).status_code == 404

    async def test_a_licence_takes_the_date_it_runs_out(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        reviewer = await signed_in(process, "reviewer")
        qualification = await submitted(acme, "gift_cards", {"prepaid_card_record": PDF})
        await acme.ask("POST", f"{at(acme, qualification)}/take", reviewer)
        for body, code in (({}, "valid_until_missing"), ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until_past")):
            response = await client.post(f"{at(acme, qualification)}/approve", json=body, headers=reviewer)
            assert (response.status_code, response.json()["code"]) == (422, code)

    async def test_what_is_decided_is_not_decided_again(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        reviewer = await signed_in(process, "reviewer")
        qualification = await submitted(acme)
        early = await client.post(f"{at(acme, qualification)}/approve", json={}, headers=reviewer)
        assert (early.status_code, early.json()["code"], early.json()["possible"]) == (409, "wrong_state", ["take", "withdraw"])
        await acme.ask("POST", f"{at(acme, qualification)}/take", reviewer)
        await acme.ask("POST", f"{at(acme, qualification)}/reject", reviewer, {"reasons": ["Not this company."]})
        again = await client.post(f"{at(acme, qualification)}/approve", json={}, headers=reviewer)
        assert (again.status_code, again.json()["state"], again.json()["possible"]) == (409, "rejected", [])

    async def test_a_decision_and_both_its_records_are_one(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The last of the three fails: none of them is there."""
        reviewer = await signed_in(process, "reviewer")
        qualification = await submitted(acme)
        before = await actions(process, acme)

        async def fails(*_: object, **__: object) -> None:
            raise RuntimeError("no")

        with monkeypatch.context() as patched:
            patched.setattr("tenants.db.TenantTx.audit", fails)
            assert (await client.post(f"{at(acme, qualification)}/take", json={}, headers=reviewer)).status_code == 500
        assert await actions(process, acme) == before
        async with process.platform_pool.acquire() as conn:
            assert await conn.fetchval("SELECT count(*) FROM platform_audit WHERE tenant_id = $1", acme.tenant_id) == 0
        assert (await acme.ask("GET", at(acme, qualification), reviewer))["state"] == "submitted"

    async def test_a_revoked_one_allows_nothing(self, process: Process, acme: Store) -> None:
        reviewer = await signed_in(process, "reviewer")
        qualification = await submitted(acme)
        for act, body in (("take", {}), ("approve", {}), ("revoke", {"reasons": ["The company is dissolved."]})):
            await acme.ask("POST", f"{at(acme, qualification)}/{act}", reviewer, body)
        assert (await acme.ask("GET", "/v1/capabilities", acme.merchant))["live_providers"] is False


async def test_the_platforms_role_opens_no_document_without_naming_the_tenant(process: Process, acme: Store) -> None:
    """By Postgres, not by our good manners."""
    qualification = decode("qua", await submitted(acme))
    sql = "SELECT count(*) FROM qualification_document WHERE qualification_id = $1"
    async with process.platform_pool.acquire() as conn:
        assert await conn.fetchval(sql, qualification) == 0
        assert await conn.fetchval("SELECT count(*) FROM tenant_key") == 0
        assert await conn.execute("UPDATE qualification SET state = 'approved' WHERE id = $1", qualification) == "UPDATE 0"
    async with tenant_tx(process.platform_pool, acme.tenant_id) as tx:
        assert await tx.conn.fetchval(sql, qualification) == 3
