"""One attempt to deliver: where to, by which address, signed now, and what came back. It knows no table."""

import asyncio
import datetime as dt
import email.utils
import ssl
import time
from collections.abc import Sequence
from uuid import UUID

import msgspec

from checkout_core.ids import encode, new_id
from tenants.http import Answer, Broken, Client, NotSent
from tenants.webhooks import signing
from tenants.webhooks.addresses import AddressRefused, Dns, Resolver, Unresolved, origins, parse

TOTAL_S = 10.0  # resolving, connecting, sending and the answer together
CONNECT_S = 4.0  # to one address
ANSWER_KEPT = 1024
ANSWER_MAX = 16 * 1024  # what is read of a body at most; an answer is judged by its status
RETRY_AFTER_MAX_S = 12 * 3600


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Without a `status` there was no answer, and `failure` says why."""

    id: UUID
    at: dt.datetime
    duration_ms: int
    status: int | None = None
    failure: str | None = None
    answer: str = ""
    retry_after_s: int | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Connections of one process to merchants' receivers. `loopback` lets it send to this machine, which production refuses."""

    def __init__(
        self, *, connections_max: int, loopback: bool = False, resolver: Resolver | None = None, trust: ssl.SSLContext | None = None
    ) -> None:
        self.loopback = loopback
        self._resolver = resolver or Dns()
        self._client = Client(connections_max=connections_max, trust=trust, clips=True, read_s=TOTAL_S, connect_s=CONNECT_S)

    async def send(self, url: str, secrets: Sequence[bytes], event_id: UUID, body: bytes) -> Attempt:
        """Post `body` once. However it ends, that is told and not raised."""
        attempt_id, at, begun = new_id(), dt.datetime.now(dt.UTC), time.perf_counter()
        headers = {"Content-Type": "application/json", "Accept": "*/*", "X-Request-Id": encode("req", attempt_id)}
        headers |= signing.headers(secrets, encode("evt", event_id), int(at.timestamp()), body)
        answer: Answer | None = None
        failure: str | None = None
        try:
            async with asyncio.timeout(TOTAL_S):
                answer = await self._exchange(url, headers, body)
        except TimeoutError:
            failure = f"no answer within {TOTAL_S:g} s"
        except AddressRefused as error:
            failure = error.detail
        except (Unresolved, NotSent, Broken) as error:
            failure = str(error)
        duration_ms = round((time.perf_counter() - begun) * 1000)
        if answer is None:
            return Attempt(id=attempt_id, at=at, duration_ms=duration_ms, failure=failure)
        return Attempt(
            id=attempt_id, at=at, duration_ms=duration_ms, status=answer.status, answer=readable(answer.body), retry_after_s=_wait(answer)
        )

    async def _exchange(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        target = parse(url, loopback=self.loopback)
        *others, last = await origins(target, self._resolver, loopback=self.loopback)
        for origin in others:
            try:
                return await self._client.exchange(origin, "POST", target.path, headers, body, answer_max=ANSWER_MAX)
            except NotSent:
                continue  # many machines have IPv6 addresses and no way there
        return await self._client.exchange(last, "POST", target.path, headers, body, answer_max=ANSWER_MAX)

    async def aclose(self) -> None:
        await self._client.aclose()


def readable(body: bytes) -> str:
    """The beginning of an answer, as text that can be kept and shown."""
    text = body[:ANSWER_KEPT].decode(errors="replace")
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)


def _wait(answer: Answer) -> int | None:
    """What Retry-After says (RFC 9110 §10.2.3), in seconds, where it means something."""
    if answer.status not in (429, 503):
        return None
    text = next((value.decode("latin-1").strip() for name, value in answer.headers if name.lower() == b"retry-after"), "")
    if text.isascii() and text.isdigit():
        seconds = int(text[:9])
    else:
        try:
            then = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError):  # the latter for a year of twenty digits
            return None
        # A date without a zone is meant in UTC.
        seconds = int((then.replace(tzinfo=then.tzinfo or dt.UTC) - dt.datetime.now(dt.UTC)).total_seconds())
    return max(0, min(seconds, RETRY_AFTER_MAX_S))
