"""Calls to a provider: every wait has an end, every answer a size, no redirect is followed, no proxy of the environment is used.

The host comes from the operator's configuration, never from a merchant, so private addresses are allowed here.
"""

import asyncio
from typing import NamedTuple

import httpx

from tenants.payments.breaker import Breaker
from tenants.payments.provider import ProviderUnavailable

CONNECT_S = 2.0
READ_S = 5.0
TOTAL_S = 8.0
BILL_TOTAL_S = 60.0
ANSWER_MAX = 64 * 1024
BILL_MAX = 64 * 1024 * 1024


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def open_client(connections_max: int = 64) -> httpx.AsyncClient:
    """One client for all accounts of a process; the caller closes it."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S, pool=CONNECT_S),
        limits=httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max, keepalive_expiry=30),
        follow_redirects=False,
        trust_env=False,
    )


class Outbound:
    """One account's way to its provider."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, breaker: Breaker | None = None) -> None:
        self._client, self._base_url = client, base_url.rstrip("/")
        self._breaker = breaker or Breaker()

    async def send(
        self, method: str, target: str, headers: dict[str, str], body: bytes, *, total_s: float = TOTAL_S, answer_max: int = ANSWER_MAX
    ) -> Answer:
        """The whole answer, any status below 500 but redirects. Raises `ProviderUnavailable`."""
        if not self._breaker.allow():
            raise ProviderUnavailable("the breaker is open", maybe_done=False, retry_after_s=self._breaker.retry_after_s)
        try:
            async with asyncio.timeout(total_s):
                answer = await self._exchange(method, target, headers, body, answer_max)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as e:
            raise self._failure(type(e).__name__, maybe_done=False) from None
        except (httpx.HTTPError, TimeoutError) as e:
            raise self._failure(type(e).__name__, maybe_done=True) from None
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise self._failure(f"status {answer.status}", maybe_done=True)
        return answer

    async def _exchange(self, method: str, target: str, headers: dict[str, str], body: bytes, answer_max: int) -> Answer:
        request = self._client.build_request(method, self._base_url + target, headers=headers, content=body)
        response = await self._client.send(request, stream=True)
        try:
            if "content-encoding" in response.headers:
                raise self._failure("a compressed answer", maybe_done=True)
            chunks, length = [], 0
            async for chunk in response.aiter_raw():
                length += len(chunk)
                if length > answer_max:
                    raise self._failure(f"an answer of more than {answer_max} bytes", maybe_done=True)
                chunks.append(chunk)
            return Answer(response.status_code, response.headers.raw, b"".join(chunks))
        finally:
            await response.aclose()

    def believed(self) -> None:
        """The answer was verified: the provider is well."""
        self._breaker.succeeded()

    def _failure(self, reason: str, *, maybe_done: bool) -> ProviderUnavailable:
        self._breaker.failed()
        return ProviderUnavailable(reason, maybe_done=maybe_done)

    def not_believed(self, reason: str) -> ProviderUnavailable:
        """An answer came, but not one that can be believed; the error to raise."""
        return self._failure(reason, maybe_done=True)
