"""How often something may be asked: by one API key, one tenant, one address. Never the press of "buy" (see `api.hot`).

Each limit is a bucket in Redis, exact for all processes together; a request that takes from several takes from all or from none. An empty
bucket is remembered here until it has something again, so that a crowd that was refused costs Redis nothing. While Redis is away each
process has buckets of its own: with n of them n times as much gets through, and nothing stops.
"""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Sequence
from math import ceil
from typing import Any, Final, NamedTuple

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard, Message, Scope

from checkout_core.errors import TooMany
from checkout_core.limits import Bucket, Level, Limiter
from checkout_core.resp import Closed, Unknown
from tenants.sessions import Visitor

Connection = ASGIConnection[Any, Any, Any, Any]

REMEMBERED_MAX: Final = 50_000  # 10 MB; beyond it whoever was longest unseen is forgotten
REDIS_TIMEOUT_S: Final = 0.1
STATE: Final = "limits"  # where a request's levels wait for its answer


class Policy(NamedTuple):
    """At most `quota` at once; after that they come back evenly, all within `window_s`. `of` says in words whose they are."""

    name: str
    quota: int
    window_s: int
    of: str


POLICIES: Final = {
    policy.name: policy
    for policy in (
        Policy("key", 1200, 60, "this API key or session"),
        Policy("tenant", 6000, 60, "this merchant"),
        Policy("sign-ups", 10, 300, "this address"),
        Policy("confirmations", 20, 120, "this address"),
        Policy("password-resets", 10, 300, "this address"),
        Policy("acceptances", 20, 120, "this address"),
        Policy("sign-ins", 20, 120, "this address"),
        Policy("guests", 60, 120, "this address"),
        Policy("order-lookups", 10, 60, "this address"),
        Policy("type-acts", 240, 60, "this address"),
        Policy("carts", 120, 60, "this shopper"),
        Policy("coupon-claims", 60, 60, "this shopper"),
        Policy("coupon-codes", 10, 60, "this shopper"),
        Policy("coupon-guesses", 60, 60, "this address"),
        Policy("points", 30, 60, "this shopper"),
        Policy("order-reminders", 10, 300, "this address"),
        Policy("sale-reminders", 20, 300, "this address"),
        Policy("order-mails", 60, 600, "this merchant"),  # to other addresses than the shoppers'
        Policy("invitations", 30, 180, "this merchant"),
        Policy("code-lookups", 30, 60, "this member"),
        Policy("domain-checks", 20, 120, "this merchant"),
        Policy("pictures", 20, 60, "this merchant"),
        Policy("webhook-tests", 10, 60, "this merchant"),
        Policy("goodbyes", 5, 60, "this person"),
        Policy("platform-enrolments", 10, 120, "this address"),
        Policy("platform-sign-ins", 20, 120, "this address"),
        Policy("platform-sign-ins-of-mail", 10, 120, "this mail"),
        # Of hosts that memory does not know: whoever opens connections with made-up names costs at most so many look-ups.
        Policy("certificates", 100, 10, "all hosts"),
        # Guessing is hopeless anyway (256 bits); this keeps the look-ups from being a way to tire Postgres.
        Policy("wrong-tokens", 120, 120, "this address"),
    )
}


class Buckets:
    """Buckets of one process."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, bucket: Bucket, now: float | None = None) -> Level:
        """Take one token if there is one: `wait_s` is 0.0 then."""
        now = time.monotonic() if now is None else now
        each = bucket.window_s / bucket.quota
        full_at = max(self._full_at.pop((bucket.name, bucket.who), now), now)
        wait_s = max(0.0, full_at + each - bucket.window_s - now)
        if not wait_s:
            full_at += each
        self._full_at[bucket.name, bucket.who] = full_at
        if len(self._full_at) > REMEMBERED_MAX:
            self._full_at.popitem(last=False)
        return Level(int((bucket.window_s - (full_at - now)) / each), full_at - now, wait_s)


class Limits:
    """The limits as one process keeps them. `factor` makes all of them wider (a setting)."""

    def __init__(self, limiter: Limiter, factor: int) -> None:
        self._limiter = limiter
        self._factor = factor
        self._own = Buckets()
        self._empty: OrderedDict[tuple[str, str], float] = OrderedDict()  # until when, by this process's clock

    async def check(self, *asked: tuple[str, str], home: str = "", connection: Connection | None = None) -> None:
        """Take one from each of the buckets (policy, who) or from none. Those of one request are in one `home`, the first one's by default.

        With a `connection` its answer says what is left. Raises `TooMany`, which says how long to wait.
        """
        policies = [POLICIES[name] for name, _ in asked]
        buckets = [Bucket(*each, policy.quota * self._factor, policy.window_s) for each, policy in zip(asked, policies, strict=True)]
        levels = self._known_empty(buckets) or await self._take(home or asked[0][1], buckets)
        if connection is not None:
            connection.scope["state"][STATE] = [*connection.scope["state"].get(STATE, ()), *zip(buckets, levels, strict=True)]
        wait_s, policy = max(zip((level.wait_s for level in levels), policies, strict=True))
        if wait_s > 0:
            detail = f"Too many requests of {policy.of}. Wait a little."
            raise TooMany(detail, code="rate_limited", retry_after_s=ceil(wait_s), policy=policy.name)

    def _known_empty(self, buckets: Sequence[Bucket]) -> list[Level] | None:
        now = time.monotonic()
        waits = [max(0.0, self._empty.get((bucket.name, bucket.who), 0.0) - now) for bucket in buckets]
        return [Level(0, bucket.window_s, wait_s) for bucket, wait_s in zip(buckets, waits, strict=True)] if any(waits) else None

    async def _take(self, home: str, buckets: Sequence[Bucket]) -> list[Level]:
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                taken, levels = await self._limiter.take(home, buckets)
        except (Closed, Unknown, TimeoutError):
            return [self._own.take(bucket) for bucket in buckets]
        if taken:
            return [level._replace(wait_s=0.0) for level in levels]
        for bucket, level in zip(buckets, levels, strict=True):
            if level.wait_s:
                self._empty[bucket.name, bucket.who] = time.monotonic() + level.wait_s
                if len(self._empty) > REMEMBERED_MAX:
                    self._empty.popitem(last=False)
        return levels


async def tell(message: Message, scope: Scope) -> None:
    """What is left, in the headers of the answer (draft-ietf-httpapi-ratelimit-headers-10). A hook of the app, before it sends."""
    if message["type"] == "http.response.start" and (levels := scope["state"].get(STATE)):
        headers = MutableScopeHeaders.from_message(message)
        headers["RateLimit-Policy"] = ", ".join(f'"{bucket.name}";q={bucket.quota};w={bucket.window_s}' for bucket, _ in levels)
        headers["RateLimit"] = ", ".join(f'"{bucket.name}";r={max(0, level.left)};t={ceil(level.full_s)}' for bucket, level in levels)


def address(connection: Connection) -> str:
    """Who asks, as one bucket: an IPv4 address, or the /64 an IPv6 customer is given. Listed proxies were seen through by the server."""
    host = connection.client.host if connection.client else ""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    if ip.version == 4:
        return host
    # What a socket for both kinds calls an IPv4 address; all of those are in one /64.
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def visitor(connection: Connection) -> Visitor:
    """Where somebody signs in from, as he himself is shown it."""
    return Visitor(address(connection), connection.headers.get("user-agent", ""))


def per_address(name: str) -> Guard:
    """A guard: the policy `name`, for the address that asks."""
    assert name in POLICIES

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        await connection.app.state.process.limits.check((name, address(connection)), connection=connection)

    return guard
