"""How a call reaches the API: who asks, what may be asked again, what a problem is, and how pages follow one another.

with Client("https://shop.example", token="sk_…") as client:
    product = client(catalogue.create_product(NewProduct(name="Video membership")))
    for sku in client.each(sku_lists.list_skus(product_id=product.id)):
        ...

`AsyncClient` does the same with `await` and `async for`. A call is asked again after a lost connection, a timeout or a 503 only where that
is safe: it changes nothing, or it has an Idempotency-Key (each gets one of its own). After a 429, in which nothing was done, always.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final, Generic, Self, TypeVar, cast
from uuid import uuid4

import httpx
import msgspec
from msgspec import Struct, structs

T = TypeVar("T")
Row = TypeVar("Row")

TRIES: Final = 5
TIMEOUT_S: Final = 30.0
PAUSE_S: Final = (0.1, 5.0)  # between tries that were told nothing better: doubled from the first to the last, with jitter
RETRY_AFTER_MAX_S: Final = 60.0  # told to wait longer, the caller had better know
TAGS_MAX: Final = 1000  # answers remembered by their tag
SAFE: Final = frozenset({"GET", "DELETE"})  # to do twice what they ask is to do it once


class Call(Struct, Generic[T], frozen=True, kw_only=True):
    """One operation with its arguments. `answers` is the type of each status that is an answer, None for one without a body."""

    method: str
    path: str
    answers: Mapping[int, Any]
    query: Mapping[str, Any] = {}
    body: Any = None  # a struct, or the bytes of a file
    headers: Mapping[str, str | None] = {}
    has_key: bool = False

    @property
    def may_be_repeated(self) -> bool:
        return self.method in SAFE or self.has_key


class Pages(Call[T], Generic[T, Row], frozen=True, kw_only=True):
    """A list: `rows` takes them out of one page."""

    rows: Callable[[T], list[Row]]

    def after(self, cursor: str) -> "Pages[T, Row]":
        return structs.replace(self, query={**self.query, "cursor": cursor})


class Problem(Exception):
    """What the API refused with (RFC 9457). `code` is for programs, `detail` for people, `extra` what else it said."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after_s: float | None = None, extra: Mapping[str, Any] = {}) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra


class BadRequest(Problem): ...


class Unauthorized(Problem): ...


class Forbidden(Problem): ...


class NotFound(Problem): ...


class Conflict(Problem): ...


class TooLarge(Problem): ...


class Unprocessable(Problem): ...


class TooMany(Problem): ...


class Unavailable(Problem): ...


PROBLEMS: Final[dict[int, type[Problem]]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 413: TooLarge, 422: Unprocessable, 429: TooMany,
    503: Unavailable,
}  # fmt: skip


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return uuid4().hex


class _Base:
    """What both clients have in common: everything but the waiting."""

    def __init__(self, token: str, store: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if store:
            self._headers["X-Tessera-Store"] = store
        self._tagged: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def _request(self, client: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
        query = {name: _written(value) for name, value in call.query.items() if value is not None}
        headers = self._headers | {name: value for name, value in call.headers.items() if value is not None}
        content = call.body
        if isinstance(content, Struct):
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(content)
        request = client.build_request(call.method, call.path, params=query, headers=headers, content=content)
        if call.method == "GET" and (known := self._tagged.get(str(request.url))):
            request.headers["If-None-Match"] = known[0]
        return request

    def _answer(self, call: Call[T], response: httpx.Response) -> T:
        """What the API said. Raises `Problem`."""
        status, body, url = response.status_code, response.content, str(response.request.url)
        if status == 304:
            status, body = 200, self._tagged[url][1]
        elif (tag := response.headers.get("etag")) and response.is_success:
            self._tagged[url] = (tag, body)
            if len(self._tagged) > TAGS_MAX:
                self._tagged.popitem(last=False)
        if status not in call.answers:
            raise _problem(response)
        type_ = call.answers[status]
        return cast("T", None if type_ is None else response.text if type_ is str else msgspec.json.decode(body, type=type_))

    def _pause_s(self, call: Call[Any], tries: int, response: httpx.Response | None) -> float | None:
        """How long to wait before asking again; None when that is not to be done."""
        pause_s = min(PAUSE_S[0] * 2 ** (tries - 1), PAUSE_S[1]) * random.uniform(0.5, 1)
        if tries >= TRIES:
            return None
        if response is None:
            return pause_s if call.may_be_repeated else None
        if response.status_code in call.answers or response.status_code not in (429, 503):
            return None
        if response.status_code == 503 and not call.may_be_repeated:
            return None
        told_s = _retry_after_s(response)
        return (None if told_s > RETRY_AFTER_MAX_S else told_s + pause_s) if told_s is not None else pause_s


class Client(_Base):
    """Asks and waits, `timeout_s` for each part of an answer. `store` names one where the host does not; a shopper's token needs it, a
    merchant's does not.
    """

    def __init__(
        self, url: str, *, token: str = "", store: str = "", timeout_s: float = TIMEOUT_S, transport: httpx.BaseTransport | None = None
    ) -> None:
        super().__init__(token, store)
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def __call__(self, call: Call[T]) -> T:
        """The answer. Raises `Problem`, and httpx's `TransportError` when none came."""
        for tries in range(1, TRIES + 1):
            response, lost = None, None
            try:
                response = self._http.send(self._request(self._http, call))
            except httpx.TransportError as error:
                lost = error
            if (pause_s := self._pause_s(call, tries, response)) is None:
                break
            time.sleep(pause_s)
        if response is None:
            assert lost is not None
            raise lost
        return self._answer(call, response)

    def each(self, call: Pages[Any, Row]) -> Iterator[Row]:
        """All rows of the list, page by page as they are needed."""
        while True:
            page = self(call)
            yield from call.rows(page)
            if page.next_cursor is None:
                return
            call = call.after(page.next_cursor)


class AsyncClient(_Base):
    """The same for asyncio."""

    def __init__(
        self, url: str, *, token: str = "", store: str = "", timeout_s: float = TIMEOUT_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(token, store)
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def __call__(self, call: Call[T]) -> T:
        """The answer. Raises `Problem`, and httpx's `TransportError` when none came."""
        for tries in range(1, TRIES + 1):
            response, lost = None, None
            try:
                response = await self._http.send(self._request(self._http, call))
            except httpx.TransportError as error:
                lost = error
            if (pause_s := self._pause_s(call, tries, response)) is None:
                break
            await asyncio.sleep(pause_s)
        if response is None:
            assert lost is not None
            raise lost
        return self._answer(call, response)

    async def each(self, call: Pages[Any, Row]) -> AsyncIterator[Row]:
        """All rows of the list, page by page as they are needed."""
        while True:
            page = await self(call)
            for row in call.rows(page):
                yield row
            if page.next_cursor is None:
                return
            call = call.after(page.next_cursor)


def _written(value: Any) -> str:
    """As an address says it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def _problem(response: httpx.Response) -> Problem:
    try:
        said: dict[str, Any] = response.json()
    except ValueError:
        said = {}
    status = response.status_code
    known = {"type", "title", "status", "detail", "code"}
    return PROBLEMS.get(status, Problem)(
        status, str(said.get("code", "")), str(said.get("detail", response.text[:200])), retry_after_s=_retry_after_s(response),
        extra={name: value for name, value in said.items() if name not in known},
    )  # fmt: skip
