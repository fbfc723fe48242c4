"""How often one address may ask what needs no sign-in.

Token buckets in this process's memory: with n processes an address gets n times as much. They only blunt a crowd of
requests from one place; what must not be exceeded (a shopper's limit in a sale) is held in Postgres.
"""

import ipaddress
import time
from collections import OrderedDict
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from checkout_core.errors import TooMany

ADDRESSES_MAX = 50_000  # 10 MB; beyond it the address longest unseen is forgotten


class Buckets:
    """A bucket for each key: `burst` at once, `per_minute` after that."""

    def __init__(self, *, per_minute: float, burst: int) -> None:
        self._per_s = per_minute / 60
        self._burst = burst
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float | None = None) -> float:
        """Take one token of `key`'s: 0.0 when there was one, else the seconds until there is."""
        now = time.monotonic() if now is None else now
        level, then = self._levels.pop(key, (float(self._burst), now))
        level = min(self._burst, level + (now - then) * self._per_s)
        wait_s = 0.0 if level >= 1 else (1 - level) / self._per_s
        self._levels[key] = (level - 1 if level >= 1 else level, now)
        if len(self._levels) > ADDRESSES_MAX:
            self._levels.popitem(last=False)
        return wait_s


class Limits:
    """The buckets of one process, by the name of what they limit. `factor` makes all of them wider (a setting)."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._buckets: dict[str, Buckets] = {}

    def check(self, name: str, key: str, *, per_minute: float, burst: int) -> None:
        """Raises `TooMany`, which says how long to wait."""
        buckets = self._buckets.get(name)
        if buckets is None:
            buckets = self._buckets[name] = Buckets(per_minute=per_minute * self._factor, burst=burst * self._factor)
        if wait_s := buckets.take(key):
            raise TooMany("Too many requests from this address. Wait a little.", code="rate_limited", retry_after_s=int(wait_s) + 1)


def address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Who asks, as one bucket: an IPv4 address, or the /64 an IPv6 customer is given. Listed proxies were seen through by the server."""
    host = connection.client.host if connection.client else ""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else host


def per_address(name: str, *, per_minute: float, burst: int) -> Guard:
    """A guard: at most `burst` at once and `per_minute` after that from one address."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        connection.app.state.process.limits.check(name, address(connection), per_minute=per_minute, burst=burst)

    return guard
