"""A product's pictures: encoded anew, in order, served for ever under the name of their content."""

from typing import Any

import httpx
import pytest

from tests.pictures import picture
from tests.shop import Store

PNG = {"Content-Type": "image/png"}


async def send(store: Store, product: str, file: bytes, **headers: str) -> httpx.Response:
    return await store.client.post(f"/v1/products/{product}/images", content=file, headers=store.merchant | PNG | headers)


async def added(store: Store, product: str, *colors: int) -> list[dict[str, Any]]:
    answers = [await send(store, product, picture(color=(20 * color, 0, 0))) for color in colors]
    assert [each.status_code for each in answers] == [201] * len(colors), answers[-1].text
    return [each.json() for each in answers]


async def shown(store: Store, product: str) -> list[str]:
    return [each["id"] for each in (await store.ask("GET", f"/v1/products/{product}", store.merchant))["images"]]


class TestAdd:
    async def test_anonymous_and_another_tenant(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        product = await acme.product()
        assert (await client.post(f"/v1/products/{product}/images", content=picture(), headers=PNG)).status_code == 401
        assert (await send(globex, product, picture())).status_code == 404

    async def test_is_encoded_anew_bounded_and_served_for_ever(self, client: httpx.AsyncClient, acme: Store) -> None:
        product = await acme.product()
        made = (await send(acme, product, picture((2400, 1200)))).json()
        assert (made["width"], made["height"], made["media_type"]) == (1200, 600, "image/webp")
        served = await client.get(made["path"], headers=acme.at)
        assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert served.content[:4] == b"RIFF"
        await acme.sale(units=1, sku_id=await acme.sku(1, product_id=product))
        offer = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"][0]
        assert offer["images"] == [made["path"]]

    async def test_another_store_does_not_serve_it(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        [made] = await added(acme, await acme.product(), 1)
        assert (await client.get(made["path"], headers=globex.at)).status_code == 404

    async def test_the_same_again_is_the_same(self, acme: Store) -> None:
        product = await acme.product()
        first, again = await added(acme, product, 1, 1)
        assert first == again
        assert await shown(acme, product) == [first["id"]]

    async def test_so_many_and_no_more(self, acme: Store) -> None:
        product = await acme.product()
        await added(acme, product, *range(10))
        refused = await send(acme, product, picture(color=(0, 0, 255)))
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_images")
        assert len(await shown(acme, product)) == 10

    @pytest.mark.parametrize(("file", "status"), [(b"GIF89a", 422), (picture()[:-30], 422), (b"<svg/>", 422)])
    async def test_what_is_no_picture(self, acme: Store, file: bytes, status: int) -> None:
        product = await acme.product()
        assert (await send(acme, product, file)).status_code == status
        assert (await send(acme, product, picture(), **{"Content-Type": "image/svg+xml"})).status_code == 415
        assert await shown(acme, product) == []


class TestOrder:
    async def test_the_first_is_the_face(self, acme: Store) -> None:
        product = await acme.product()
        ids = [each["id"] for each in await added(acme, product, 1, 2, 3)]
        path = f"/v1/products/{product}/images/order"
        await acme.ask("PUT", path, acme.merchant, {"image_ids": ids[::-1]})
        assert await shown(acme, product) == ids[::-1]
        assert (await acme.audited()).count("product.images_ordered") == 1
        for wrong in (ids[:2], [*ids, ids[0]], [*ids[:2], f"pic_{'0' * 32}"]):
            refused = await acme.client.put(path, json={"image_ids": wrong}, headers=acme.merchant)
            assert (refused.status_code, refused.json()["code"]) == (422, "other_images")
        assert await shown(acme, product) == ids[::-1]


class TestRemove:
    async def test_is_gone_and_so_is_its_address(self, client: httpx.AsyncClient, acme: Store) -> None:
        product, other = await acme.product(), await acme.product()
        [made, kept] = await added(acme, product, 1, 2)
        path = f"/v1/products/{{}}/images/{made['id']}"
        assert (await client.delete(path.format(other), headers=acme.merchant)).status_code == 404
        assert (await client.delete(path.format(product), headers=acme.merchant)).status_code == 204
        assert await shown(acme, product) == [kept["id"]]
        assert (await client.get(made["path"], headers=acme.at)).status_code == 404
        assert [each for each in await acme.audited() if "image" in each] == ["product.image_added"] * 2 + ["product.image_removed"]
