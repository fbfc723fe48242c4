"""Limits: exact for all processes together, told in the headers, and no reason to stop while Redis is away."""

import asyncio
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar.connection import ASGIConnection

from api import limits as policies
from api.limits import POLICIES, Buckets, Limits, Policy
from api.process import Process
from checkout_core.config import Settings
from checkout_core.errors import TooMany
from checkout_core.limits import Bucket, Limiter
from checkout_core.partitions import Partitions
from tests.shop import Store

# Its bucket fills by one in ten minutes: what comes back meanwhile changes no count.
SLOW = Policy("slow", 50, 30_000, "the test")
# Takes until refused, at the same moment as others of its kind; how often it was let through is what it prints.
TAKER = """
import asyncio, sys
from api.limits import POLICIES, Limits, Policy
from checkout_core.errors import TooMany
from checkout_core.limits import Limiter
from checkout_core.partitions import Partitions
async def main(url, who, hands):
    POLICIES["slow"] = Policy("slow", 50, 30_000, "the test")
    async with Partitions(url) as partitions:
        limits = Limits(Limiter(partitions), 1)
        async def take():
            taken = 0
            while True:
                try:
                    await limits.check(("slow", who))
                except TooMany:
                    return taken
                taken += 1
        print(sum(await asyncio.gather(*(take() for _ in range(hands)))))
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
def who() -> str:
    return uuid4().hex


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Policy:
    monkeypatch.setitem(POLICIES, "slow", SLOW)
    return SLOW


@pytest.fixture
async def partitions(settings: Settings) -> AsyncIterator[Partitions]:
    async with Partitions(settings.redis_url) as partitions:
        yield partitions


async def taken(limits: Limits, *asked: tuple[str, str], tries: int = 60) -> int:
    async def take() -> bool:
        try:
            await limits.check(*asked, home="here")
        except TooMany:
            return False
        return True

    return sum(await asyncio.gather(*(take() for _ in range(tries))))


class TestExact:
    async def test_for_several_processes_at_once(self, settings: Settings, who: str) -> None:
        command = [sys.executable, "-c", TAKER, settings.redis_url, who, "20"]
        pipe = asyncio.subprocess.PIPE
        takers = [await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe) for _ in range(3)]
        said = [await taker.communicate() for taker in takers]
        assert [errors for _, errors in said] == [b""] * 3
        assert sum(int(out) for out, _ in said) == SLOW.quota

    async def test_counted_by_each_process_for_itself_it_would_not_be(self, slow: Policy, who: str) -> None:
        """What holds the test above: two that do not share a Redis let twice as much through."""
        async with Partitions("unix:///nowhere/redis.sock") as nowhere:
            both = [Limits(Limiter(nowhere), 1) for _ in range(2)]
            assert [await taken(limits, ("slow", who)) for limits in both] == [slow.quota] * 2

    async def test_from_all_buckets_or_from_none(self, slow: Policy, partitions: Partitions, who: str) -> None:
        limits = Limits(Limiter(partitions), 1)
        assert await taken(limits, ("slow", who), tries=10) == 10
        assert await taken(limits, ("slow", f"{who} other"), ("slow", who)) == slow.quota - 10
        # The refused took nothing from the other, which is therefore as full as those who were let through left it.
        _, [level] = await Limiter(partitions).take("here", [Bucket("slow", f"{who} other", slow.quota, slow.window_s)])
        assert level.left == slow.quota - (slow.quota - 10) - 1

    async def test_what_flows_back_may_be_taken_again(self, monkeypatch: pytest.MonkeyPatch, partitions: Partitions, who: str) -> None:
        monkeypatch.setitem(POLICIES, "quick", Policy("quick", 4, 1, "the test"))
        limits = Limits(Limiter(partitions), 1)
        assert await taken(limits, ("quick", who)) == 4
        await asyncio.sleep(0.6)
        assert 2 <= await taken(limits, ("quick", who)) <= 3

    async def test_a_bucket_that_fills_faster_than_its_clock_ticks(
        self, monkeypatch: pytest.MonkeyPatch, partitions: Partitions, who: str
    ) -> None:
        """A wide factor, for load tests: a token comes back in less than a microsecond."""
        monkeypatch.setitem(POLICIES, "quick", Policy("quick", 10**9, 60, "the test"))
        assert await taken(Limits(Limiter(partitions), 1), ("quick", who)) == 60

    async def test_who_was_refused_costs_redis_nothing_until_then(self, slow: Policy, partitions: Partitions, who: str) -> None:
        class Counting(Limiter):
            calls = 0

            async def take(self, home: str, buckets: object) -> object:  # type: ignore[override]
                Counting.calls += 1
                return await super().take(home, buckets)  # type: ignore[arg-type]

        limits = Limits(Counting(partitions), 1)
        await taken(limits, ("slow", who))
        asked = Counting.calls
        assert await taken(limits, ("slow", who), tries=1000) == 0
        assert Counting.calls == asked


class TestOwnBuckets:
    def test_a_burst_then_as_many_as_flow_in(self) -> None:
        buckets, bucket = Buckets(), Bucket("x", "a", 3, 3)
        assert [buckets.take(bucket, now=0).wait_s for _ in range(4)] == [0, 0, 0, 1]
        assert buckets.take(bucket._replace(who="b"), now=0).wait_s == 0
        assert buckets.take(bucket, now=0.5).wait_s == 0.5
        assert buckets.take(bucket, now=1.0).wait_s == 0
        assert buckets.take(bucket, now=1.0).wait_s == 1

    async def test_serve_while_redis_hangs(self, slow: Policy, partitions: Partitions, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hang(*_: object) -> object:
            return await asyncio.Event().wait()

        limiter = Limiter(partitions)
        monkeypatch.setattr(limiter, "take", hang)
        assert await taken(Limits(limiter, 1), ("slow", who)) == slow.quota


class TestAnswers:
    async def test_say_what_is_left(
        self, client: httpx.AsyncClient, acme: Store, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process.limits, "_factor", 1)
        monkeypatch.setitem(POLICIES, "key", Policy("key", 10, 1000, "this API key or session"))
        monkeypatch.setitem(POLICIES, "tenant", Policy("tenant", 20, 4000, "this merchant"))
        first, second = [(await client.get("/v1/products", headers=acme.merchant)).headers for _ in range(2)]
        assert first["ratelimit-policy"] == second["ratelimit-policy"] == '"key";q=10;w=1000, "tenant";q=20;w=4000'
        assert first["ratelimit"] == '"key";r=9;t=100, "tenant";r=19;t=200'
        assert second["ratelimit"] == '"key";r=8;t=200, "tenant";r=18;t=400'

    async def test_refuse_a_key_that_asks_too_often(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process.limits, "_factor", 1)
        monkeypatch.setitem(POLICIES, "key", Policy("key", 3, 30, "this API key or session"))
        answers = [await client.get("/v1/products", headers=acme.merchant) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert (answers[3].json()["code"], answers[3].json()["policy"]) == ("rate_limited", "key")
        assert 0 < int(answers[3].headers["retry-after"]) <= 10
        assert answers[3].headers["ratelimit"].startswith('"key";r=0;t=30, "tenant";r=')
        assert (await client.get("/v1/products", headers=globex.merchant)).status_code == 200

    async def test_refuse_a_tenant_whose_keys_ask_too_often_together(
        self, client: httpx.AsyncClient, acme: Store, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = await acme.key_with("catalog:read")
        monkeypatch.setattr(process.limits, "_factor", 1)
        monkeypatch.setitem(POLICIES, "tenant", Policy("tenant", 4, 30, "this merchant"))
        asked = [acme.merchant, other, acme.merchant, other, acme.merchant]
        answers = [await client.get("/v1/products", headers=headers) for headers in asked]
        # One was used up before: the key was made by a request.
        assert answers[-1].status_code == 429
        assert answers[-1].json()["policy"] == "tenant"
        assert answers[0].status_code == 200

    async def test_refuse_an_address_that_signs_up_too_often(
        self, client: httpx.AsyncClient, process: Process, monkeypatch: pytest.MonkeyPatch, who: str
    ) -> None:
        """As a shop in production has it: the tests' own factor is switched off, and the address is one that nobody had before."""
        monkeypatch.setattr(process.limits, "_factor", 1)
        monkeypatch.setattr(policies, "address", lambda _: who)
        answers = [await client.post("/v1/merchants", json={"slug": uuid4().hex}) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert answers[-1].headers["ratelimit-policy"] == '"sign-ups";q=10;w=300'

    async def test_never_of_the_press_of_buy(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"sale_id": await acme.sale(), "quantity": 1}
        response = await client.post("/v1/checkouts", json=body, headers=await acme.guest() | {"Idempotency-Key": "k"})
        assert response.status_code == 201
        assert "ratelimit" not in response.headers


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        # What a socket for both kinds calls an IPv4 address: not all of them in one bucket.
        ("::ffff:203.0.113.7", "203.0.113.7"), ("", ""), ("testclient", "testclient"),
    ],
)  # fmt: skip
def test_who_is_one_address(host: str, bucket: str) -> None:
    connection = ASGIConnection({"type": "http", "client": (host, 1), "headers": []})  # type: ignore[typeddict-item, var-annotated]
    assert policies.address(connection) == bucket


def test_a_policy_is_data() -> None:
    assert msgspec.json.decode(msgspec.json.encode(list(POLICIES.values())), type=list[Policy]) == list(POLICIES.values())
    assert all(policy.quota > 0 and policy.window_s > 0 and policy.name.replace("-", "").isalpha() for policy in POLICIES.values())
