"""Catalogue files: created and changed by reference, all of it or nothing, and each problem by line and field."""

import io
from typing import Any

import httpx
import openpyxl
import pytest

from tests.shop import Store

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = "reference,product_reference,product_name,name,price"
FILE = f"{HEAD}\nV-01,V,影视会员,月卡,19.90\nV-12,V,,年卡,199\nS-1,S,Steam,,50.5\n"


async def send(store: Store, file: str | bytes, *, to: str = "imports", kind: str = CSV) -> httpx.Response:
    content = file.encode() if isinstance(file, str) else file
    return await store.client.post(f"/v1/catalog/{to}", content=content, headers=store.merchant | {"Content-Type": kind})


async def loaded(store: Store, file: str | bytes, **more: str) -> dict[str, Any]:
    response = await send(store, file, **more)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def skus(store: Store) -> dict[str, dict[str, Any]]:
    found = (await store.ask("GET", "/v1/skus?limit=100", store.merchant))["skus"]
    return {each["reference"]: each for each in found}


async def products(store: Store) -> dict[str, dict[str, Any]]:
    found = (await store.ask("GET", "/v1/products?limit=100", store.merchant))["products"]
    return {each["reference"]: each for each in found}


def sheet(rows: list[list[Any]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


class TestImport:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/catalog/imports", content=FILE.encode(), headers={"Content-Type": CSV})).status_code == 401
        headers = await acme.key_with("catalog:read") | {"Content-Type": CSV}
        assert (await client.post("/v1/catalog/imports", content=FILE.encode(), headers=headers)).status_code == 403

    async def test_creates_and_is_found_and_on_record_once(self, acme: Store) -> None:
        report = await loaded(acme, FILE)
        assert (report["lines"], report["products_created"], report["skus_created"], report["problems"]) == (3, 2, 3, [])
        made = await skus(acme)
        assert {ref: (sku["name"], sku["price_minor"], sku["currency"]) for ref, sku in made.items()} == {
            "V-01": ("月卡", 1990, "CNY"), "V-12": ("年卡", 19900, "CNY"), "S-1": ("Steam", 5050, "CNY"),
        }  # fmt: skip
        assert made["V-01"]["product_id"] == made["V-12"]["product_id"] == (await products(acme))["V"]["id"]
        for q, found in (("影视 年", ["V-12"]), ("s-1", ["S-1"])):
            answer = await acme.client.get("/v1/skus", params={"q": q}, headers=acme.merchant)
            assert [each["reference"] for each in answer.json()["skus"]] == found
        assert (await acme.audited()).count("catalog.imported") == 1

    async def test_the_same_again_changes_nothing(self, acme: Store) -> None:
        await loaded(acme, FILE)
        before = await skus(acme)
        report = await loaded(acme, FILE)
        assert (report["skus_created"], report["skus_changed"], report["skus_unchanged"], report["products_changed"]) == (0, 0, 3, 0)
        assert await skus(acme) == before

    async def test_changes_what_its_cells_say_and_nothing_else(self, acme: Store) -> None:
        await loaded(acme, FILE)
        file = "SKU编号,售价,成本,使用说明,状态\nV-12,99,,登录后兑换,下架\nS-1,,40,,\n"
        report = await loaded(acme, file.encode("gb18030"))
        assert (report["skus_changed"], report["skus_created"]) == (2, 0)
        now = await skus(acme)
        assert [now["V-12"][name] for name in ("price_minor", "cost_minor", "usage_note", "state", "name")] == [
            9900, None, "登录后兑换", "draft", "年卡",
        ]  # fmt: skip
        assert (now["S-1"]["price_minor"], now["S-1"]["cost_minor"]) == (5050, 4000)

    async def test_a_sheet_of_excel(self, acme: Store) -> None:
        rows = [
            ["Reference", "Product", "Product name", "Price", "Face value"],
            ["A1", "P", "Points", 9.9, 100],
            ["A2", "P", None, 19, "200"],
        ]
        report = await loaded(acme, sheet(rows), kind=XLSX)
        assert report["skus_created"] == 2
        made = await skus(acme)
        assert [(made[ref]["price_minor"], made[ref]["face_value"]) for ref in ("A1", "A2")] == [(990, "100"), (1900, "200")]

    async def test_options_are_learnt(self, acme: Store) -> None:
        head = "reference,product_reference,product_name,price,option:面值,规格:时长\n"
        await loaded(acme, f"{head}A,P,Video,1,50,月\nB,P,,2,100,月\nC,P,,3,100,年\n")
        assert (await products(acme))["P"]["options"] == [
            {"name": "面值", "values": ["50", "100"]},
            {"name": "时长", "values": ["月", "年"]},
        ]
        assert (await skus(acme))["C"]["choices"] == {"面值": "100", "时长": "年"}
        assert (await skus(acme))["C"]["name"] == "100 / 年"
        # Two variants change places.
        report = await loaded(acme, f"{head}A,P,,,100,月\nB,P,,,50,月\n")
        assert (report["skus_changed"], report["products_changed"]) == (2, 0)
        refused = await send(acme, f"{head}D,P,,4,100,年\n")
        assert refused.json()["problems"] == [{"line": 2, "field": "option", "why": "The product has this variant already."}]

    async def test_a_description_of_several_lines_and_a_category_by_its_path(self, acme: Store) -> None:
        top = await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Games"})
        leaf = await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Steam", "parent_id": top["id"]})
        head = "reference,product_reference,product_name,price,description,category,product_state"
        await loaded(acme, f'{head}\nA,P,Wallet,1,"First line\nsecond, with a comma",Games/Steam,草稿\nB,P,,2,,,\n')
        made = (await products(acme))["P"]
        assert (made["description"], made["category_id"], made["state"]) == ("First line\nsecond, with a comma", leaf["id"], "draft")

    async def test_stores_know_nothing_of_each_others_references(self, acme: Store, globex: Store) -> None:
        await loaded(acme, FILE)
        assert (await loaded(globex, FILE))["skus_created"] == 3
        assert len(await skus(globex)) == 3


WRONG = [
    ("A,P,X,x,ten", "price"), ("A,P,X,x,1.999", "price"), ("A,P,X,x,0", "price"), ("A,P,X,x,", "price"), (",P,X,x,1", "reference"),
    ("A,,X,x,1", "product_reference"), ("A,P,,x,1", "product_name"), (f"{'A' * 65},P,X,x,1", "reference"), (f"A,P,X,{'x' * 201},1", "name"),
    ("A,P,X,x\x07,1", "name"), ("A,P,X,x,1,more", ""), ("S-1,V,,x,1", "product_reference"), ('A,P,X,"x,1', ""),
]  # fmt: skip


class TestRefused:
    @pytest.mark.parametrize(("line", "field"), WRONG)
    async def test_says_where_and_why_and_saves_nothing(self, acme: Store, line: str, field: str) -> None:
        await loaded(acme, FILE)
        before = (await skus(acme), await products(acme), await acme.audited())
        refused = await send(acme, f"{HEAD}\nN-1,N,New,n,1\n{line}\nN-2,N,,n,2\n")
        assert (refused.status_code, refused.json()["code"]) == (422, "import_refused"), refused.text
        told = [(each["line"], each["field"]) for each in refused.json()["problems"]]
        assert (3, field) in told, refused.json()["problems"]
        assert {each[0] for each in told} == {3}
        assert (await skus(acme), await products(acme), await acme.audited()) == before

    async def test_twice_in_a_file_and_two_words_of_one_product(self, acme: Store) -> None:
        refused = await send(acme, f"{HEAD}\nA,P,One,x,1\nA,P,,y,2\nB,P,Two,z,3\n")
        assert refused.json()["problems"] == [
            {"line": 3, "field": "reference", "why": "Line 2 has this reference already."},
            {"line": 4, "field": "product_name", "why": "Line 2 says another thing of the same product."},
        ]

    @pytest.mark.parametrize(
        ("cells", "field"),
        [("kind,casino", "kind"), ("category,Nowhere", "category"), ("state,on", "state"), ("code_pattern,([", "code_pattern")],
    )
    async def test_words_that_are_not_known(self, acme: Store, cells: str, field: str) -> None:
        column, word = cells.split(",")
        refused = await send(acme, f"{HEAD},{column}\nA,P,X,x,1,{word}\n")
        assert [(each["line"], each["field"]) for each in refused.json()["problems"]] == [(2, field)]

    async def test_columns_that_are_not_known_or_missing(self, acme: Store) -> None:
        refused = await send(acme, "product_reference,colour,price\nP,red,1\n")
        assert [(each["line"], each["field"]) for each in refused.json()["problems"][:2]] == [(1, "colour"), (1, "reference")]

    async def test_what_is_no_such_file(self, acme: Store) -> None:
        assert (await send(acme, b"%PDF-1.7\n\x00\x01")).json()["code"] == "not_text"
        assert (await send(acme, b"PK\x03\x04 broken", kind=XLSX)).json()["code"] == "not_a_sheet"
        assert (await send(acme, b"")).status_code in (400, 422)
        assert (await send(acme, FILE, kind="application/json")).status_code == 415

    async def test_a_hundred_problems_are_told_and_all_are_counted(self, acme: Store) -> None:
        refused = await send(acme, HEAD + "\n" + "".join(f"A{n},P,X,x,no\n" for n in range(150)))
        assert (refused.json()["wrong"], len(refused.json()["problems"])) == (150, 100)


class TestPreview:
    async def test_says_the_same_and_keeps_nothing(self, acme: Store) -> None:
        told = await loaded(acme, FILE, to="previews")
        assert (told["skus_created"], told["products_created"], told["wrong"]) == (3, 2, 0)
        assert await skus(acme) == {}
        assert "catalog.imported" not in await acme.audited()
        assert await loaded(acme, FILE) == told

    async def test_problems_are_an_answer_here(self, acme: Store) -> None:
        told = await loaded(acme, f"{HEAD}\nA,P,X,x,ten\n", to="previews")
        assert [(each["line"], each["field"]) for each in told["problems"]] == [(2, "price")]
