"""Who has the newest is told so, and nothing more."""

import httpx
import pytest

from api.etags import is_known
from tests.shop import Store


@pytest.fixture(params=["products", "skus", "sales"])
async def address(request: pytest.FixtureRequest, acme: Store) -> str:
    made = {"products": acme.product, "skus": acme.sku, "sales": acme.sale}[request.param]
    return f"/v1/{request.param}/{await made()}"


class TestTagged:
    async def test_the_same_again_is_not_sent_again(self, client: httpx.AsyncClient, acme: Store, address: str) -> None:
        first = await client.get(address, headers=acme.merchant)
        assert first.headers["cache-control"] == "private, no-cache"
        again = await client.get(address, headers=acme.merchant | {"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-type" not in again.headers

    async def test_what_has_changed_is_sent(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = f"/v1/sales/{await acme.sale()}"
        tag = (await client.get(sale, headers=acme.merchant)).headers["etag"]
        await acme.ask("POST", f"{sale}/pause", acme.merchant)
        changed = await client.get(sale, headers=acme.merchant | {"If-None-Match": tag})
        assert (changed.status_code, changed.json()["state"]) == (200, "paused")
        assert changed.headers["etag"] != tag

    async def test_a_tag_opens_nothing(self, client: httpx.AsyncClient, acme: Store, globex: Store, address: str) -> None:
        assert (await client.get(address, headers={"If-None-Match": "*"})).status_code == 401
        assert (await client.get(address, headers=globex.merchant | {"If-None-Match": "*"})).status_code == 404
        assert (await client.get(address, headers=acme.merchant | {"If-None-Match": "*"})).status_code == 304


@pytest.mark.parametrize(
    ("given", "known"),
    [([], False), (['"a"'], True), (['W/"a"'], True), (['"b", "a"'], True), (['"b"', '"a"'], True), (["*"], True), (['"b"'], False),
     (["a"], False), ([""], False), (['"a'], False)],
)  # fmt: skip
def test_which_tags_are_known(given: list[str], known: bool) -> None:
    assert is_known('"a"', given) is known
