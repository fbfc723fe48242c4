"""A creating POST sent again with the same Idempotency-Key gets the first answer again, byte for byte, and creates nothing.

async def create(self, data: JSONBody[NewProduct], once: NamedDependency[Once]) -> Product:
    return await once(catalog.create_product(once.tx, …))
"""

import re
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from api.callers import Merchant
from api.headers import API_HEADERS, SECURITY_HEADERS
from checkout_core.errors import BadRequest
from tenants import replies
from tenants.db import TenantTx
from tenants.replies import Reply

HEADER = "idempotency-key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_encode = msgspec.json.Encoder().encode

T = TypeVar("T")


class Replayed(Exception):
    """Not an error: ends the request with the answer given earlier, and the transaction with nothing done."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def answer_again(_: Request[Any, Any, Any], replayed: Replayed) -> Response[bytes]:
    status, body = replayed.reply
    headers = API_HEADERS | SECURITY_HEADERS | {"Idempotency-Replayed": "true"}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def key_of(request: Request[Any, Any, Any], *, required: bool = False) -> str | None:
    """The request's Idempotency-Key. Raises `BadRequest` when it is double, malformed, or missing yet `required`."""
    values = request.headers.getall(HEADER, [])
    if not values:
        if required:
            raise BadRequest("Send an Idempotency-Key: with it, asking again is safe.", code="idempotency_key_missing")
        return None
    if len(values) > 1 or not is_key(values[0]):
        raise BadRequest("Idempotency-Key is one header of 1 to 255 visible ASCII characters.", code="bad_idempotency_key")
    return values[0]


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


class Once:
    """Does the work of a request once per key, in the transaction `tx`."""

    def __init__(self, tx: TenantTx, key: str | None, method: str, path: str, auth: Merchant | Any, body: bytes) -> None:
        self.tx = tx
        self._key = key
        # Bound to who asks: another user of the tenant may choose the same key by chance.
        self._asked = replies.request_hash(method.encode(), path.encode(), body)
        self._who = getattr(auth, "actor", "")

    async def __call__(self, work: Coroutine[Any, Any, T], *, status: int = 201) -> T:
        """The result of `work`, which is what the handler answers. Raises `KeyReused`, or `Replayed` when it was done before."""
        if self._key is None:
            return await work
        key = f"{self._who}:{self._key}"
        try:
            reply = await replies.recall(self.tx, key, self._asked)
            if reply is not None:
                raise Replayed(reply)
            result = await work
        finally:
            work.close()  # had it not begun, it would warn that nobody awaited it
        await replies.remember(self.tx, key, self._asked, Reply(status, _encode(result)))
        return result
