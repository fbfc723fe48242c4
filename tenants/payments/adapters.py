"""Which adapters there are, and how one is made from an account's stored credentials."""

from collections.abc import Callable

import httpx
import msgspec

from tenants.payments.provider import BadCredentials, Provider
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider


def _sandbox(credentials: bytes, base_url: str, client: httpx.AsyncClient) -> Provider:
    return SandboxProvider(msgspec.json.decode(credentials, type=SandboxCredentials), base_url, client)


ADAPTERS: dict[str, Callable[[bytes, str, httpx.AsyncClient], Provider]] = {"sandbox": _sandbox}


def adapter(provider: str, credentials: bytes, base_url: str, client: httpx.AsyncClient) -> Provider:
    """The account behind `credentials` (JSON). Keep what this returns: it holds parsed keys and the breaker.

    Raises `BadCredentials`, also for a provider there is no adapter for.
    """
    if provider not in ADAPTERS:
        raise BadCredentials(f"There is no payment provider {provider!r}; there is {', '.join(ADAPTERS)}.")
    try:
        return ADAPTERS[provider](credentials, base_url, client)
    except msgspec.MsgspecError as e:
        raise BadCredentials(f"The credentials are incomplete: {e}.") from None
