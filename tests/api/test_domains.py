"""A store's addresses over HTTP: moving, domains of its own, certificates."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar

from api.guards import is_inside
from api.process import Process
from tenants import domains, hosts
from tests.shop import Store


def a_slug() -> str:
    return f"n-{uuid4().hex[:12]}"


def forget(process: Process, *names: str) -> None:
    """What memory says of these names is two seconds old at most; a test does not wait for it."""
    for name in names:
        process.directory._by_host.forget(name)
        process.directory._by_slug.forget(name)


async def move(client: httpx.AsyncClient, store: Store, slug: str) -> httpx.Response:
    response = await client.put("/v1/store/address", json={"slug": slug}, headers=store.merchant)
    forget(store.process, slug, f"{slug}.localhost", store.slug, store.host)
    return response


async def prove(store: Store, domain: str) -> None:
    """As the duty does once the DNS has the record."""
    assert await hosts.claim(store.process.platform_pool, domain, store.tenant_id, still_proven=lambda _: False) == (True, None)
    forget(store.process, domain)


class TestMove:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.put("/v1/store/address", json={"slug": a_slug()})).status_code == 401

    async def test_the_new_one_serves_and_the_old_one_leads_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        slug = a_slug()
        moved = await move(client, acme, slug)
        assert moved.json() == {"slug": slug, "host": f"{slug}.localhost", "primary_host": f"{slug}.localhost"}
        assert (await client.get("/", headers={"Host": f"{slug}.localhost"})).status_code == 200
        old = await client.get("/orders?a=b%0d%0ac", headers={"Host": f"{acme.host}:8000"})
        assert (old.status_code, old.headers["location"]) == (301, f"http://{slug}.localhost:8000/orders?a=b%0d%0ac")
        assert (await client.get("/v1/storefront", headers={"Host": acme.host})).json()["store"]["slug"] == slug, "programs are served on"

    async def test_programs_may_name_it_by_either(self, client: httpx.AsyncClient, acme: Store) -> None:
        slug = a_slug()
        await move(client, acme, slug)
        for host in ("localhost", acme.host, f"{slug}.localhost"):
            for named in (slug, acme.slug):
                response = await client.get("/v1/storefront", headers={"Host": host, "X-Tessera-Store": named})
                assert (response.status_code, response.json()["store"]["slug"]) == (200, slug), (host, named)

    async def test_a_way_back(self, client: httpx.AsyncClient, acme: Store) -> None:
        slug = a_slug()
        await move(client, acme, slug)
        assert (await move(client, acme, acme.slug)).json()["host"] == acme.host
        assert (await client.get("/", headers={"Host": acme.host})).status_code == 200
        forget(acme.process, f"{slug}.localhost")
        assert (await client.get("/", headers={"Host": f"{slug}.localhost"})).status_code == 301

    async def test_what_was_left_is_nobody_elses(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await move(client, acme, a_slug())
        taken = await move(client, globex, acme.slug)
        assert (taken.status_code, taken.json()["code"]) == (409, "taken")
        new = {"store": "S", "slug": acme.slug, "mail": f"{uuid4().hex}@example.org"}
        assert (await client.post("/v1/merchants", json=new)).status_code == 409

    async def test_another_stores_and_reserved_ones(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        for slug in (globex.slug, "www", "api"):
            assert (await move(client, acme, slug)).status_code == 409
        assert (await client.get("/v1/store/address", headers=acme.merchant)).json()["slug"] == acme.slug

    async def test_not_for_ever(self, client: httpx.AsyncClient, acme: Store) -> None:
        statuses = [(await move(client, acme, a_slug())).status_code for _ in range(hosts.LEFT_MAX + 1)]
        assert statuses == [200] * hosts.LEFT_MAX + [409]

    async def test_after_its_time_the_old_one_leads_nowhere(self, client: httpx.AsyncClient, acme: Store, monkeypatch: Any) -> None:
        monkeypatch.setattr(hosts, "REDIRECTS_FOR", -hosts.REDIRECTS_FOR)
        await move(client, acme, a_slug())
        assert (await client.get("/orders", headers={"Host": acme.host})).status_code == 404
        assert (await client.get("/v1/storefront", headers=acme.at)).status_code == 404


class TestDomain:
    async def test_claimed_shown_and_removed(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        domain = f"{uuid4().hex}.Example.com"
        made = await acme.ask("POST", "/v1/domains", acme.merchant, {"domain": domain})
        assert (made["domain"], made["state"]) == (domain.lower(), "pending")
        assert made["proof"]["name"] == f"_tessera-challenge.{domain.lower()}"
        assert made["proof"]["value"] == domains.token(acme.process.keys.domains, acme.tenant_id, domain.lower())
        again = await client.post("/v1/domains", json={"domain": domain}, headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "domain_exists")
        theirs = await globex.ask("POST", "/v1/domains", globex.merchant, {"domain": domain})
        assert theirs["proof"]["value"] != made["proof"]["value"], "anybody may claim it, each with his own proof"
        assert (await client.delete(f"/v1/domains/{made['id']}", headers=acme.merchant)).status_code == 204
        assert (await acme.ask("GET", "/v1/domains", acme.merchant))["domains"] == []

    @pytest.mark.parametrize("domain", ["localhost", "shop.localhost", "1.2.3.4", "com", "https://a.example"])
    async def test_what_is_none(self, client: httpx.AsyncClient, acme: Store, domain: str) -> None:
        refused = await client.post("/v1/domains", json={"domain": domain}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_domain")

    async def test_serves_the_store_once_proven(self, client: httpx.AsyncClient, acme: Store) -> None:
        domain = f"{uuid4().hex}.example.com"
        assert (await client.get("/v1/storefront", headers={"Host": domain})).status_code == 404
        await prove(acme, domain)
        assert (await client.get("/v1/storefront", headers={"Host": domain})).json()["store"]["slug"] == acme.slug
        assert (await client.get("/", headers={"Host": domain})).status_code == 200
        letter = await client.get("/merchant/forgotten", headers={"Host": domain})
        assert (letter.status_code, letter.headers["location"]) == (303, "http://localhost/merchant/forgotten")

    async def test_links_name_the_primary_host(self, client: httpx.AsyncClient, acme: Store) -> None:
        domain = f"{uuid4().hex}.example.com"
        refused = await client.put("/v1/store/address/primary", json={"host": domain}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_host")
        await prove(acme, domain)
        chosen = await acme.ask("PUT", "/v1/store/address/primary", acme.merchant, {"host": domain})
        assert chosen == {"slug": acme.slug, "host": acme.host, "primary_host": domain}
        forget(acme.process, acme.host, acme.slug)
        sale = await acme.sale(1)
        for path in ("/", f"/sales/{sale}"):
            page = await client.get(path, headers={"Host": acme.host})
            assert f'<link rel="canonical" href="http://{domain}{path}">' in page.text
        await hosts.release(acme.process.platform_pool, domain, acme.tenant_id)
        assert (await acme.ask("GET", "/v1/store/address", acme.merchant))["primary_host"] == acme.host, "one that is lost is not named"

    async def test_another_stores_host_is_not_chosen(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        refused = await client.put("/v1/store/address/primary", json={"host": globex.host}, headers=acme.merchant)
        assert refused.status_code == 404


class TestCertificates:
    async def ask(self, client: httpx.AsyncClient, domain: str, **headers: str) -> int:
        return (await client.get(f"/v1/tls/may-issue?domain={domain}", headers=headers)).status_code

    async def test_for_hosts_of_stores_only(self, client: httpx.AsyncClient, acme: Store) -> None:
        domain = f"{uuid4().hex}.example.com"
        await acme.ask("POST", "/v1/domains", acme.merchant, {"domain": domain})
        assert await self.ask(client, domain) == 404, "a claim is no proof"
        await prove(acme, domain)
        assert [await self.ask(client, host) for host in (domain, domain.upper(), acme.host, "localhost")] == [200] * 4
        assert [await self.ask(client, host) for host in ("no.localhost", "evil.example", "", "a" * 253)] == [404] * 4

    async def test_for_an_old_address_while_it_leads_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        await move(client, acme, a_slug())
        assert await self.ask(client, acme.host) == 200

    @pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-forwarded-host"])
    async def test_not_for_what_a_proxy_hands_on(self, client: httpx.AsyncClient, header: str) -> None:
        assert await self.ask(client, "localhost", **{header: "203.0.113.9"}) == 403

    async def test_not_for_others(self, app: Litestar) -> None:
        transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as outside:
            answer = await outside.get("/v1/tls/may-issue?domain=localhost")
        assert (answer.status_code, answer.json()["code"]) == (403, "inside_only")

    @pytest.mark.parametrize(
        ("host", "inside"),
        [
            ("127.0.0.1", True),
            ("::1", True),
            ("10.1.2.3", True),
            ("192.0.2.7", True),
            ("10.2.0.1", False),
            ("", False),
            ("testclient", False),
        ],
    )
    def test_who_is_inside(self, host: str, inside: bool) -> None:
        assert is_inside(host, ("10.1.0.0/16", "192.0.2.7")) == inside

    async def test_what_is_known_costs_no_look_up_and_strangers_are_bounded(
        self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.ask(client, acme.host)
        looked: list[str] = []
        by_host = hosts.by_host

        async def counting(platform: Any, host: str) -> Any:
            looked.append(host)
            return await by_host(platform, host)

        monkeypatch.setattr(hosts, "by_host", counting)
        monkeypatch.setattr(acme.process.limits, "_factor", 1)
        assert {await self.ask(client, acme.host) for _ in range(50)} == {200}
        assert looked == []
        asked = [await self.ask(client, f"x{n}.example") for n in range(130)]
        assert 429 in asked
        assert len(looked) < 130
        assert await self.ask(client, acme.host) == 200, "whom memory knows is not held up by them"
