"""ETags: who shows the tag of what he has is told that it is still so (304), without the body.

async def get(self, product_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[Product]:
    return Tagged(…)

The tag follows from the bytes of the answer, so it is right whatever changes; what is spared is the way, not the look-up. What is changed
by those who read it before has its version as its tag, which `if_match` then asks for (RFC 9110 §13.1.1). Before the version stands whose
it is: two stores are read at one address, and the same version of both is not the same.
"""

import re
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec
from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse

from checkout_core.errors import BadRequest, PreconditionRequired

T = TypeVar("T")

# To be kept, and to be asked about each time: others of the store may have changed it.
CACHE_CONTROL: Final = "private, no-cache"
TAG_BYTES: Final = 12
NO_VERSION: Final = 0  # the first one is 1
_VERSIONED = re.compile(r'"([0-9a-f]{8})([0-9]{1,17})(?:-[0-9a-f]{8})?"')
_encode = msgspec.json.Encoder().encode
OF_BODY: Final = {"content-length", "content-type"}


class Tagged(Response[T]):
    """An answer with its tag: that of `version`, or of its bytes. 304 answers only who reads.

    `besides` is what the answer shows that changes without a new version: it is in the tag too, and no change is asked for it.
    """

    def __init__(self, content: T, *, version: int | None = None, besides: Any = None) -> None:
        super().__init__(content)
        self._version = version
        self._besides = "" if besides is None else f"-{blake2b(_encode(besides), digest_size=4).hexdigest()}"

    def to_asgi_response(self, app: Litestar | None, request: Request[Any, Any, Any], **options: Any) -> ASGIResponse:
        full = super().to_asgi_response(app, request, **options)
        assert isinstance(full, ASGIResponse)
        of_bytes = blake2b(full.body, digest_size=TAG_BYTES).hexdigest()
        tag = f'"{of_bytes if self._version is None else f"{_whose(request)}{self._version}{self._besides}"}"'
        full.headers["etag"], full.headers["cache-control"] = tag, CACHE_CONTROL
        if request.method != "GET" or not is_known(tag, request.headers.getall("if-none-match", [])):
            return full
        return ASGIResponse(status_code=304, headers=[(name, value) for name, value in full.headers.items() if name not in OF_BODY])


def is_known(tag: str, given: list[str]) -> bool:
    """Whether `tag` is among the tags in If-None-Match (RFC 9110 §13.1.2: compared weakly; `*` is any)."""
    tags = {each.strip().removeprefix("W/") for line in given for each in line.split(",")}
    return tag in tags or "*" in tags


def tag_of(request: Request[Any, Any, Any], version: int) -> str:
    """What stands in a list for the ETag that `If-Match` asks for."""
    return f'"{_whose(request)}{version}"'


def if_match(request: Request[Any, Any, Any]) -> int | None:
    """The version that `If-Match` names; None for `*`, which is any, and `NO_VERSION` for one of another store.

    Raises `PreconditionRequired` when there is none, `BadRequest` for what no answer of ours has carried.
    """
    values = request.headers.getall("if-match", [])
    if not values:
        raise PreconditionRequired("Send If-Match with the ETag that you read, so that nobody's change is lost. Nothing was changed.")
    if len(values) > 1:
        raise BadRequest("If-Match is one ETag as we gave it, or *.", code="bad_if_match")
    return version_of(request, values[0].strip())


def version_of(request: Request[Any, Any, Any], tag: str) -> int | None:
    """As `if_match`, of a tag that stands in the body."""
    if tag == "*":
        return None
    found = _VERSIONED.fullmatch(tag)
    if found is None:
        raise BadRequest("If-Match is one ETag as we gave it, or *.", code="bad_if_match")
    return int(found[2]) if found[1] == _whose(request) else NO_VERSION


def _whose(request: Request[Any, Any, Any]) -> str:
    """Eight digits of whoever's things are read, by which no other is known."""
    return blake2b(request.auth.tenant_id.bytes, digest_size=4).hexdigest()
