"""Calls to a provider: a breaker before them, a time for the whole of them, and no answer that is not one.

The host comes from the operator's configuration, never from a merchant, so private addresses are allowed here.
"""

import asyncio

from tenants.http import Answer, Broken, Client, NotSent, Origin
from tenants.payments.breaker import Breaker
from tenants.payments.provider import ProviderUnavailable

TOTAL_S = 8.0
BILL_TOTAL_S = 60.0
ANSWER_MAX = 64 * 1024
BILL_MAX = 64 * 1024 * 1024


class Outbound:
    """One account's way to its provider. Raises ValueError for a `base_url` that is none; without one there is a way to nowhere."""

    def __init__(self, client: Client, base_url: str, breaker: Breaker | None = None) -> None:
        self._client = client
        self._origin: Origin | None = None
        self._below = ""
        if base_url:
            self._origin, self._below = Origin.parse(base_url)
        self._breaker = breaker or Breaker()

    async def send(
        self, method: str, target: str, headers: dict[str, str], body: bytes, *, total_s: float = TOTAL_S, answer_max: int = ANSWER_MAX
    ) -> Answer:
        """The whole answer, any status below 500 but redirects. Raises `ProviderUnavailable`."""
        if self._origin is None:
            raise ProviderUnavailable("no address is configured", maybe_done=False)
        if not self._breaker.allow():
            raise ProviderUnavailable("the breaker is open", maybe_done=False, retry_after_s=self._breaker.retry_after_s)
        try:
            async with asyncio.timeout(total_s):
                answer = await self._client.exchange(self._origin, method, self._below + target, headers, body, answer_max=answer_max)
        except NotSent as error:
            raise self._failure(str(error), maybe_done=False) from None
        except (Broken, TimeoutError) as error:
            raise self._failure(str(error) or "too slow", maybe_done=True) from None
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise self._failure(f"status {answer.status}", maybe_done=True)
        if any(name.lower() == b"content-encoding" for name, _ in answer.headers):
            raise self._failure("a compressed answer", maybe_done=True)
        return answer

    def believed(self) -> None:
        """The answer was verified: the provider is well."""
        self._breaker.succeeded()

    def _failure(self, reason: str, *, maybe_done: bool) -> ProviderUnavailable:
        self._breaker.failed()
        return ProviderUnavailable(reason, maybe_done=maybe_done)

    def not_believed(self, reason: str) -> ProviderUnavailable:
        """An answer came, but not one that can be believed; the error to raise."""
        return self._failure(reason, maybe_done=True)
