"""Domains: what may be one, whose it is, and when it is lost. The DNS is a server of our own, asked over UDP."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import dns.rcode
import pytest

from api.process import Process
from checkout_core.errors import Conflict, NotFound, Unprocessable
from tenants import domains, hosts
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.domains import Domain, Verifier
from tenants.duties import due
from tenants.resolver import DnsUnavailable, StubResolver
from tests.nameserver import NameServer, name_server
from tests.shop import Store

BASE = "shops.example"


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as server:
        yield server


class Claim:
    """A store's claim of a domain, as its merchant and the duty treat it."""

    def __init__(self, store: Store, verifier: Verifier, domain: str, domain_id: UUID) -> None:
        self.store, self.verifier, self.domain, self.id = store, verifier, domain, domain_id

    @classmethod
    async def of(cls, store: Store, server: NameServer, domain: str) -> "Claim":
        verifier = Verifier(store.process.platform_pool, server.resolver, store.process.keys.domains)
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            found = await domains.add(tx, domain, actor="test")
        return cls(store, verifier, domain, found.id)

    @property
    def token(self) -> str:
        return domains.token(self.verifier.key, self.store.tenant_id, self.domain)

    async def now(self) -> Domain:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            return await domains.get(tx, self.id)

    async def check(self, *, later: dt.timedelta = dt.timedelta()) -> Domain:
        """What the duty makes of it once it is due; everything lies `later` back by then."""
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = """UPDATE store_domain SET next_try_at = now(), failing_since = failing_since - $3::interval,
                            asked_at = asked_at - $3::interval WHERE tenant_id = $1 AND id = $2"""
            await tx.conn.execute(sql, tx.tenant_id, self.id, later)
        await domains.verify(self.verifier, self.store.process.app_pool, self.store.tenant_id, self.id)
        return await self.now()

    async def served_for(self) -> UUID | None:
        found = await hosts.by_host(self.verifier.platform, self.domain)
        return found.tenant_id if found else None


def a_domain() -> str:
    return f"d{uuid4().hex[:16]}.example.com"


class TestNormalize:
    @pytest.mark.parametrize(
        ("text", "domain"),
        [
            ("Shop.Example.COM", "shop.example.com"), ("shop.example.com.", "shop.example.com"), (" shop.example.com ", "shop.example.com"),
            ("Bücher.example", "xn--bcher-kva.example"), ("商店.例子.中国", "xn--czrs0t.xn--fsqu00a.xn--fiqs8s"),
            ("ｓｈｏｐ．example．com", "shop.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ],
    )  # fmt: skip
    def test_one_spelling(self, text: str, domain: str) -> None:
        assert domains.normalize(text, BASE) == domain

    @pytest.mark.parametrize(
        "text",
        [
            "", ".", "com", "localhost", "shop", "a.localhost", "printer.local", "x.internal", "x.onion", "1.2.3.4", "[::1]", "::1",
            "1.2.3", "0x7f.1", "http://shop.example.com", "shop.example.com/x", "shop.example.com:443", "a b.example.com",
            "a..example.com", "*.example.com", "_x.example.com", "-a.example.com", "a-.example.com", BASE, f"x.{BASE}", f"X.{BASE}.",
            "a" * 64 + ".example.com", "a." * 120 + "com", "shop.example.com\n.evil", "shop\u0000.example.com", "xn--a.example",
            "\u202eshop.example.com", "sh\u200bop.example.com\u0000",
        ],
    )  # fmt: skip
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(Unprocessable) as refused:
            domains.normalize(text, BASE)
        assert refused.value.code == "bad_domain"


class TestToken:
    def test_is_bound_to_tenant_and_domain(self) -> None:
        key, one, other = bytes(32), uuid4(), uuid4()
        made = {domains.token(k, t, d) for k in (key, b"x" * 32) for t in (one, other) for d in ("a.example", "b.example")}
        assert len(made) == 8
        assert all(len(token) == 47 for token in made)


class TestResolver:
    async def test_what_a_name_says(self, server: NameServer) -> None:
        server.texts["a.example"] = ["one", "x" * 100]
        assert await server.resolver.texts("a.example") == {"one", "x" * 100}
        assert await server.resolver.texts("b.example") == frozenset(), "a name that does not exist"
        server.texts["c.example"] = []
        assert await server.resolver.texts("c.example") == frozenset(), "a name without such records"

    @pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, None])
    async def test_what_is_no_answer(self, server: NameServer, rcode: dns.rcode.Rcode | None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenants.resolver.LIFETIME_S", 0.3)
        server.rcode = rcode
        with pytest.raises(DnsUnavailable):
            await server.resolver.texts("a.example")

    async def test_a_server_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenants.resolver.LIFETIME_S", 0.3)
        with pytest.raises(DnsUnavailable):
            await StubResolver(["127.0.0.1"], port=1).texts("a.example")


class TestProof:
    async def test_is_served_once_it_is_proven(self, acme: Store, server: NameServer) -> None:
        claim = await Claim.of(acme, server, a_domain())
        waiting = await claim.check()
        assert (waiting.state, await claim.served_for()) == ("pending", None)
        assert domains.challenge(claim.domain) in waiting.problem
        server.texts[domains.challenge(claim.domain)] = ["v=spf1 -all", claim.token]
        active = await claim.check()
        assert (active.state, active.problem, await claim.served_for()) == ("active", "", acme.tenant_id)
        assert active.next_try_at is not None
        assert active.next_try_at > dt.datetime.now(dt.UTC) + dt.timedelta(hours=20)

    async def test_another_tenants_token_proves_nothing(self, acme: Store, globex: Store, server: NameServer) -> None:
        domain = a_domain()
        claim, foreign = await Claim.of(acme, server, domain), await Claim.of(globex, server, domain)
        server.texts[domains.challenge(domain)] = [foreign.token]
        assert (await claim.check()).state == "pending"
        assert (await foreign.check()).state == "active"
        assert await claim.served_for() == globex.tenant_id

    async def test_is_not_waited_for_for_ever(self, acme: Store, server: NameServer) -> None:
        claim = await Claim.of(acme, server, a_domain())
        lost = await claim.check(later=dt.timedelta(days=8))
        assert (lost.state, lost.next_try_at) == ("lost", None)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert (await domains.ask_again(tx, claim.id, actor="test")).state == "pending"
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        assert (await claim.check()).state == "active"

    async def test_two_workers_at_once_are_one(self, acme: Store, server: NameServer) -> None:
        claim = await Claim.of(acme, server, a_domain())
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        await claim.check()
        asked = len(server.asked)
        await domains.verify(claim.verifier, acme.process.app_pool, acme.tenant_id, claim.id)
        assert len(server.asked) == asked, "it is not due"


class TestLosing:
    async def proven(self, store: Store, server: NameServer) -> Claim:
        claim = await Claim.of(store, server, a_domain())
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        assert (await claim.check()).state == "active"
        return claim

    async def test_only_when_the_proof_stays_away_for_days(self, acme: Store, server: NameServer) -> None:
        claim = await self.proven(acme, server)
        del server.texts[domains.challenge(claim.domain)]
        for _ in range(8):
            assert (await claim.check()).state == "active", "however often in a day"
        assert await claim.served_for() == acme.tenant_id
        lost = await claim.check(later=domains.LOST_OVER)
        assert (lost.state, await claim.served_for()) == ("lost", None)

    async def test_without_the_days_a_slip_would_lose_it(self, acme: Store, server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin of the test above."""
        monkeypatch.setattr(domains, "LOST_OVER", dt.timedelta())
        claim = await self.proven(acme, server)
        del server.texts[domains.challenge(claim.domain)]
        assert [(await claim.check()).state for _ in range(domains.LOST_AFTER)][-1] == "lost"

    async def test_two_checks_far_apart_are_too_few(self, acme: Store, server: NameServer) -> None:
        claim = await self.proven(acme, server)
        del server.texts[domains.challenge(claim.domain)]
        await claim.check()
        assert (await claim.check(later=dt.timedelta(days=30))).state == "active"

    async def test_a_proof_that_comes_back_starts_over(self, acme: Store, server: NameServer) -> None:
        claim = await self.proven(acme, server)
        del server.texts[domains.challenge(claim.domain)]
        for _ in range(3):
            await claim.check()
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        assert (await claim.check(later=dt.timedelta(days=9))).failures == 0

    @pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
    async def test_never_for_want_of_an_answer(self, acme: Store, server: NameServer, rcode: dns.rcode.Rcode) -> None:
        claim = await self.proven(acme, server)
        server.rcode = rcode
        for _ in range(12):
            found = await claim.check(later=dt.timedelta(days=1))
        assert (found.state, found.failures, await claim.served_for()) == ("active", 0, acme.tenant_id)
        assert "did not answer" in found.problem


class TestTakingOver:
    async def test_goes_to_whoever_proves_it(self, acme: Store, globex: Store, server: NameServer) -> None:
        domain = a_domain()
        first, second = await Claim.of(acme, server, domain), await Claim.of(globex, server, domain)
        name = domains.challenge(domain)
        server.texts[name] = [first.token]
        await first.check()
        server.texts[name] = [second.token]
        assert (await second.check()).state == "active"
        assert await first.served_for() == globex.tenant_id
        due = (await first.now()).next_try_at
        assert due is not None
        assert due <= dt.datetime.now(dt.UTC), "he who had it learns so at the next sweep"
        lost = await first.check()
        assert (lost.state, lost.problem) == ("lost", "Another store has proven this domain.")
        assert await first.served_for() == globex.tenant_id, "what is lost is his claim, not the other's"

    async def test_not_while_the_holder_proves_it_too(self, acme: Store, globex: Store, server: NameServer) -> None:
        domain = a_domain()
        first, second = await Claim.of(acme, server, domain), await Claim.of(globex, server, domain)
        server.texts[domains.challenge(domain)] = [first.token, second.token]
        await first.check()
        assert (await second.check()).state == "pending"
        assert (await first.check()).state == "active"
        assert await first.served_for() == acme.tenant_id

    async def test_without_the_look_at_the_holders_proof_they_would_take_turns(
        self, acme: Store, globex: Store, server: NameServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin of the test above."""
        claim = hosts.claim

        async def careless(platform: Pool, host: str, tenant_id: UUID, **_: object) -> tuple[bool, UUID | None]:
            return await claim(platform, host, tenant_id, still_proven=lambda _: False)

        monkeypatch.setattr(hosts, "claim", careless)
        domain = a_domain()
        first, second = await Claim.of(acme, server, domain), await Claim.of(globex, server, domain)
        server.texts[domains.challenge(domain)] = [first.token, second.token]
        await first.check()
        await second.check()
        assert await first.served_for() == globex.tenant_id


class TestRemoving:
    async def test_is_not_served_any_more(self, acme: Store, globex: Store, server: NameServer) -> None:
        claim = await Claim.of(acme, server, a_domain())
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        await claim.check()
        with pytest.raises(NotFound):
            await domains.remove(claim.verifier.platform, acme.process.app_pool, globex.tenant_id, claim.id, actor="test")
        assert await claim.served_for() == acme.tenant_id
        await domains.remove(claim.verifier.platform, acme.process.app_pool, acme.tenant_id, claim.id, actor="test")
        assert await claim.served_for() is None

    async def test_while_it_is_verified(self, acme: Store, server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """The proof was found, and the claim goes before the domain is served: nobody would ever look at its proof again."""
        claim = await Claim.of(acme, server, a_domain())
        server.texts[domains.challenge(claim.domain)] = [claim.token]
        claims, removing = hosts.claim, []

        async def remove() -> None:
            await domains.remove(claim.verifier.platform, acme.process.app_pool, acme.tenant_id, claim.id, actor="test")

        async def slow(*args: Any, **named: Any) -> tuple[bool, UUID | None]:
            removing.append(asyncio.create_task(remove()))
            await asyncio.sleep(0.1)  # it comes as far as it can
            return await claims(*args, **named)

        monkeypatch.setattr(hosts, "claim", slow)
        with suppress(NotFound):
            await claim.check()
        await asyncio.gather(*removing)
        assert await claim.served_for() is None

    async def test_fifty_are_the_most(self, acme: Store, server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(domains, "DOMAINS_MAX", 1)
        await Claim.of(acme, server, a_domain())
        with pytest.raises(Conflict, match="at most"):
            await Claim.of(acme, server, a_domain())


async def test_the_sweep_sees_what_is_due(process: Process, acme: Store, server: NameServer) -> None:
    claim = await Claim.of(acme, server, a_domain())
    async with await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=1) as sweeper:
        found = await due(sweeper, "store_domain", 1000)
    assert claim.id in {each.id for each in found}
