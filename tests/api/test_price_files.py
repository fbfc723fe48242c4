"""Files of prices: all of it or nothing, and each problem by line and field."""

import httpx
import pytest

from tests.api.catalog.test_imports import XLSX, sheet
from tests.shop import Store
from tests.tenants.prices.shelf import listed, paid

HEAD = "list,reference,least_quantity,price\n"


async def send(
    store: Store, file: str | bytes, headers: dict[str, str] | None = None, kind: str = "text/csv", to: str = "imports"
) -> httpx.Response:
    content = file.encode() if isinstance(file, str) else file
    headers = (store.merchant if headers is None else headers) | {"Content-Type": kind}
    return await store.client.post(f"/v1/price-lists/{to}", content=content, headers=headers)


class TestPreview:
    async def test_anonymous_and_without_the_permission(self, acme: Store) -> None:
        assert (await send(acme, HEAD, {}, to="previews")).status_code == 401
        assert (await send(acme, HEAD, await acme.key_with("prices:read"), to="previews")).status_code == 403

    async def test_says_what_the_import_says_and_keeps_nothing(self, acme: Store) -> None:
        one = await acme.sku(reference="R1")
        await listed(acme, (one, 1, 9000), name="Gold")
        file = f"{HEAD}Gold,R1,1,80\nGold,R1,10,70\n"
        audited = await acme.audited()
        seen = await send(acme, file, to="previews")
        assert (seen.status_code, seen.json()["set"], seen.json()["wrong"]) == (200, 2, 0)
        assert (await paid(acme, one), await acme.audited()) == (9000, audited)
        assert (await send(acme, file)).json() == seen.json()
        assert await paid(acme, one) == 8000

    async def test_problems_are_a_part_of_the_answer(self, acme: Store, globex: Store) -> None:
        await acme.sku(reference="R1")
        await listed(globex, name="Theirs")
        seen = (await send(acme, f"{HEAD}Theirs,R1,1,90\nTheirs,R2,1,x\n", to="previews")).json()
        assert seen["wrong"] == 4
        assert [(each["line"], each["field"]) for each in seen["problems"]] == [(2, "list"), (3, "list"), (3, "reference"), (3, "price")]


class TestImport:
    async def test_anonymous_and_without_the_permission(self, acme: Store) -> None:
        assert (await send(acme, HEAD, {})).status_code == 401
        assert (await send(acme, HEAD, await acme.key_with("prices:read", "catalog:write"))).status_code == 403

    async def test_sets_what_it_says_once(self, acme: Store) -> None:
        one, other = await acme.sku(reference="R1"), await acme.sku(reference="R2")
        await listed(acme, (one, 1, 9000), name="Gold")
        await listed(acme, name="银")
        file = f"{HEAD}gold,R1,,90\nGOLD,R1,10,80.5\n银,R2,1,7\n"
        done = await send(acme, file)
        assert done.status_code == 200, done.text
        told = {"lines": 3, "set": 2, "unchanged": 1, "wrong": 0, "problems": []}
        assert done.json() == {"columns": ["list", "reference", "least_quantity", "price"], **told}
        assert [await paid(acme, one), await paid(acme, one, 10), await paid(acme, other)] == [9000, 8050, 700]
        assert (await send(acme, file)).json()["unchanged"] == 3
        assert (await acme.audited())[-2:] == ["prices.imported"] * 2

    async def test_a_workbook_with_chinese_headers(self, acme: Store) -> None:
        one = await acme.sku(reference="R1")
        await listed(acme, name="Gold")
        done = await send(acme, sheet([["价格表", "SKU编号", "售价"], ["Gold", "R1", 19.9]]), kind=XLSX)
        assert done.status_code == 200, done.text
        assert await paid(acme, one) == 1990

    async def test_each_problem_by_line_and_field_and_nothing_is_saved(self, acme: Store, globex: Store) -> None:
        one = await acme.sku(reference="R1")
        await globex.sku(reference="R2")
        await listed(acme, name="Gold")
        await listed(globex, name="Theirs")
        lines = ["Gold,R1,1,90", "Theirs,R1,1,90", "Gold,R2,1,90", "Gold,R1,0,90", "Gold,R1,5,ten", "Gold,R1,1,80", "Gold,R1,7,0"]
        refused = await send(acme, HEAD + "\n".join(lines) + "\n")
        assert (refused.status_code, refused.json()["code"], refused.json()["wrong"]) == (422, "import_refused", 6)
        assert [(each["line"], each["field"]) for each in refused.json()["problems"]] == [
            (3, "list"), (4, "reference"), (5, "least_quantity"), (6, "price"), (7, ""), (8, "price"),
        ]  # fmt: skip
        assert await paid(acme, one) == 9900

    @pytest.mark.parametrize(("file", "field"), [("reference,price\nR1,1\n", "list"), (f"{HEAD[:-1]},option:x\n", "option:x")])
    async def test_columns_that_are_missing_or_unknown(self, acme: Store, file: str, field: str) -> None:
        refused = await send(acme, file)
        assert refused.status_code == 422
        assert [each["field"] for each in refused.json()["problems"]] == [field]
