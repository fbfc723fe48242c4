"""Test mode: somebody who is signed in asks with `X-Tessera-Mode: test`, and acts in his store's sandbox with the permissions he has.

Nobody works at a sandbox, so what he makes there answers to nobody, as what its keys make does.
"""

from typing import Any, Final

import msgspec
from litestar.connection import ASGIConnection

from api.callers import Callers, Merchant
from checkout_core.errors import BadRequest, NotFound

HEADER: Final = "x-tessera-mode"
TEST: Final = "test"
LIVE: Final = "live"


async def chosen(callers: Callers, merchant: Merchant, connection: ASGIConnection[Any, Any, Any, Any]) -> Merchant:
    """Who asks, at the store or at its sandbox. Raises `BadRequest`, and `NotFound` (`no_sandbox`) before there is one."""
    mode = connection.headers.get(HEADER, LIVE)
    if mode == LIVE:
        return merchant
    if mode != TEST or merchant.person is None:
        raise BadRequest("X-Tessera-Mode is live or test, and is for people who are signed in: a key is of one of both.", code="bad_mode")
    sandbox = await callers.sandbox_of(merchant.tenant_id)
    if sandbox is None:
        raise NotFound("This store has no sandbox yet. Open one with POST /v1/sandbox.", code="no_sandbox")
    return msgspec.structs.replace(merchant, tenant_id=sandbox, user_id=None)
