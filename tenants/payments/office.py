"""Accounts at the sandbox provider, opened by its back office: so that a merchant tries payments out without asking anybody for keys."""

import asyncio

import msgspec

from checkout_core.errors import Conflict, Unavailable
from tenants.http import Broken, Client, NotSent, Origin
from tenants.payments.sandbox import SandboxCredentials

ANSWER_MAX = 64 * 1024
TOTAL_S = 10


class NoTestProvider(Conflict):
    code = "no_test_provider"


async def open_account(client: Client, url: str, token: str, name: str) -> SandboxCredentials:
    """A merchant number of the provider's with keys of its own. Raises `NoTestProvider` where none is set up, and `Unavailable`."""
    if not url or not token:
        raise NoTestProvider("This platform opens no test accounts. Connect one of your own with POST /v1/provider-accounts.")
    origin, path = Origin.parse(url)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = msgspec.json.encode({"name": name})
    try:
        async with asyncio.timeout(TOTAL_S):
            answer = await client.exchange(origin, "POST", f"{path}/admin/merchants", headers, body, answer_max=ANSWER_MAX)
    except (NotSent, Broken, TimeoutError) as error:
        raise Unavailable("The test provider does not answer. Ask the same again later.", code="provider_away") from error
    if answer.status != 201:
        raise Unavailable("The test provider opens no accounts at this moment.", code="provider_away")
    return msgspec.json.decode(answer.body, type=SandboxCredentials)
