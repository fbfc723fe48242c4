"""Translations: what a visitor reads in his language, and what he reads where there is none."""

import httpx
import pytest

from tenants import translations
from tests.api.test_stores import change
from tests.shop import Store


async def translate(store: Store, subject: str, locale: str, name: str, **more: str) -> None:
    await store.ask("PUT", f"/v1/translations/{subject}/{locale}", store.merchant, {"name": name, **more})


class TestSet:
    async def test_anonymous(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.put(f"/v1/translations/{await acme.product()}/en", json={"name": "x"})
        assert answer.status_code == 401

    async def test_another_tenants_product(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        product = await globex.product()
        answer = await client.put(f"/v1/translations/{product}/en", json={"name": "x"}, headers=acme.merchant)
        assert answer.status_code == 404

    async def test_set_changed_removed(self, client: httpx.AsyncClient, acme: Store) -> None:
        product = await acme.product()
        await translate(acme, product, "en", "One")
        await translate(acme, product, "en", "Two", description="More")
        found = (await acme.ask("GET", f"/v1/translations/{product}", acme.merchant))["translations"]
        assert found == [{"locale": "en", "name": "Two", "description": "More"}]
        for _ in range(2):
            assert (await client.delete(f"/v1/translations/{product}/en", headers=acme.merchant)).status_code == 204
        assert (await acme.ask("GET", f"/v1/translations/{product}", acme.merchant))["translations"] == []

    @pytest.mark.parametrize(("locale", "more", "code"), [("ja", {}, "unknown_locale"), ("en", {"description": "x"}, "no_description")])
    async def test_what_cannot_be(self, client: httpx.AsyncClient, acme: Store, locale: str, more: dict[str, str], code: str) -> None:
        answer = await client.put(f"/v1/translations/{await acme.sku()}/{locale}", json={"name": "x", **more}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    async def test_there_are_so_many(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Languages that the store no longer speaks count too; one that is there may be changed."""
        monkeypatch.setattr(translations, "TRANSLATIONS_MAX", 1)
        product = await acme.product()
        await translate(acme, product, "en", "One")
        await translate(acme, product, "en", "Two")
        answer = await client.put(f"/v1/translations/{product}/zh-CN", json={"name": "x"}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_translations")

    @pytest.mark.parametrize("subject", ["", "x", "ord_" + "0" * 32, "prd_x"])
    async def test_what_has_no_text(self, client: httpx.AsyncClient, acme: Store, subject: str) -> None:
        answer = await client.put(f"/v1/translations/{subject or '-'}/en", json={"name": "x"}, headers=acme.merchant)
        assert answer.status_code == 404


class TestShown:
    async def test_in_the_visitors_language_else_as_written(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, locales=["zh-CN", "en", "ja"])
        product = await acme.product("充值卡")
        sku = await acme.sku(1, product_id=product, name="一百")
        sale = await acme.sale(1, sku_id=sku, name="春节特卖")
        for subject, name in ((product, "Top-up card <b>"), (sku, "Hundred"), (sale, "Spring sale")):
            await translate(acme, subject, "en", name)
        await translate(acme, product, "ja", "プリペイドカード", description="説明")
        pages = {
            locale: (await client.get(f"/sales/{sale}", headers=acme.at | {"accept-language": locale})).text
            for locale in ("zh", "en", "ja")
        }
        assert all(text in pages["zh"] for text in ("春节特卖", "充值卡", "一百"))
        assert all(text in pages["en"] for text in ("Spring sale", "Top-up card &lt;b&gt;", "Hundred"))
        assert all(text in pages["ja"] for text in ("春节特卖", "プリペイドカード", "一百", "説明"))
        listed = await client.get("/v1/storefront?locale=en", headers=acme.at)
        assert listed.json()["sales"][0]["name"] == "Spring sale"
        written = await client.get(f"/v1/storefront/sales/{sale}", headers=acme.at)
        assert (written.json()["name"], written.json()["product_name"]) == ("春节特卖", "充值卡")
