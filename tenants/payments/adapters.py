"""Which adapters there are, and how one is made from an account's stored credentials."""

from collections.abc import Callable

import msgspec

from tenants.http import Client
from tenants.payments.provider import BadCredentials, Provider
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider


def _sandbox(credentials: bytes, base_url: str, client: Client, check_keys: bool) -> Provider:
    return SandboxProvider(msgspec.json.decode(credentials, type=SandboxCredentials), base_url, client, check_keys=check_keys)


ADAPTERS: dict[str, Callable[[bytes, str, Client, bool], Provider]] = {"sandbox": _sandbox}


def adapter(provider: str, credentials: bytes, base_url: str, client: Client, *, check_keys: bool = False) -> Provider:
    """The account behind `credentials` (JSON). Keep what this returns: it holds parsed keys and the breaker.

    With `check_keys`, for credentials that come from outside, the keys are proven too (45 ms of CPU: call it in a thread).
    Raises `BadCredentials`, also for a provider there is no adapter for.
    """
    if provider not in ADAPTERS:
        raise BadCredentials(f"There is no payment provider {provider!r}; there is {', '.join(ADAPTERS)}.")
    try:
        return ADAPTERS[provider](credentials, base_url, client, check_keys)
    except msgspec.MsgspecError as e:
        raise BadCredentials(f"The credentials are incomplete: {e}.") from None
