"""Codes that shoppers choose among by their labels, through the API."""

from typing import Any

import httpx
import pytest

from tests.paying import pay
from tests.shop import Store
from tests.tenants.types.picked import codes, picks

FILE = """card,label,surcharge_minor
AAAA-1111,8888,50000
BBBB-2222,1234,
CCCC-3333,8888,1
DDDD-4444,,
EEEE-5555,EEEE-5555,
FFFF-6666,77,1.5
"""


async def load(store: Store, sku: str, text: str, *, path: str = "imports", **query: str) -> Any:
    headers = store.merchant | {"Content-Type": "text/csv"}
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await store.client.post(f"/v1/vault/{path}?sku_id={sku}&{asked}", headers=headers, content=text.encode())
    assert answer.is_success, answer.text
    return answer.json()


class TestImport:
    async def test_each_line_with_its_label_or_a_reason(self, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        report = await load(acme, sku, FILE, columns="code,pick,surcharge_minor", header="true")
        assert (report["loaded"], report["malformed"]) == (3, [5, 6, 7])
        assert [(line["line"], line["reason"]) for line in report["errors"]] == [
            (5, "no_label"), (6, "label_tells"), (7, "bad_surcharge"),
        ]  # fmt: skip
        shown = (await acme.ask("GET", f"/v1/skus/{sku}/picks", acme.merchant))["picks"]
        assert {(each["pick"], each["surcharge_minor"], each["available"]) for each in shown} == {("8888", 50000, 2), ("1234", 0, 1)}

    @pytest.mark.parametrize("header", ["卡密,靓号,加价分", "code,label,surcharge_minor"])
    async def test_columns_are_known_by_their_names(self, acme: Store, header: str) -> None:
        sku = await acme.sku(type="chosen")
        seen = await load(acme, sku, f"{header}\nAAAA-1111,8888,50000\n", path="previews")
        assert (seen["layout"]["columns"], seen["sample"][0]["label"]) == (["code", "pick", "surcharge_minor"], "8888")
        assert (await load(acme, sku, f"{header}\nAAAA-1111,8888,50000\n"))["loaded"] == 1

    async def test_a_number_that_everybody_sees_with_its_secret(self, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        text = "13800008888,0042-PIN,13800008888\n13800009999,0043-PIN,0043-PIN\n"
        report = await load(acme, sku, text, columns="code,secret,pick", header="false")
        assert [(line["line"], line["reason"]) for line in report["errors"]] == [(2, "label_tells")]

    async def test_card_codes_need_no_label_and_keep_none(self, acme: Store) -> None:
        sku = await acme.sku()
        assert (await load(acme, sku, FILE, columns="code,pick,surcharge_minor", header="true"))["loaded"] == 6
        assert await picks(acme, sku) == {}

    async def test_the_same_file_again_changes_nothing(self, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        for loaded in (2, 0):
            report = await load(acme, sku, "AAAA-1111,8888\nBBBB-2222,9999\n", columns="code,pick", header="false")
            assert report["loaded"] == loaded
        assert await picks(acme, sku) == {"8888": 1, "9999": 1}


class TestDelivery:
    async def test_the_label_before_the_code_after(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        await load(acme, sku, "AAAA-1111,8888,50000\n", columns="code,pick,surcharge_minor", header="false")
        sale = await acme.sale(1, sku_id=sku)
        offered = await client.get(f"/v1/storefront/skus/{sku}/picks", headers=acme.at)
        assert [each["label"] for each in offered.json()["picks"]] == ["8888"]
        assert "AAAA" not in offered.text
        who = await acme.guest()
        order = await acme.order(who, sale)
        assert await pay(acme, order) == "applied"
        [shown] = await codes(acme, who, order)
        assert (shown["code"], shown["note"]) == ("AAAA-1111", "8888")
        assert (await acme.ask("GET", f"/v1/storefront/skus/{sku}/picks", acme.at))["picks"][0]["available"] == 0

    async def test_refunded_it_does_not_come_back(self, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        await load(acme, sku, "AAAA-1111,8888\n", columns="code,pick", header="false")
        who = await acme.guest()
        order = await acme.order(who, await acme.sale(1, sku_id=sku))
        await pay(acme, order)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await picks(acme, sku) == {"8888": 0}
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["quarantined"] == 1
