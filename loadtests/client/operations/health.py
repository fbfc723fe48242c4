"""Health. Written by `make client`; not to be edited."""

from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Redis is reported, not required: ordinary sales go on without it."""

    status: Literal["not_ready", "ready"]
    postgres: Literal["down", "up"]
    redis: Literal["down", "up"]


def healthz() -> Call[str]:
    """The process is alive."""
    return Call(method="GET", path="/healthz", answers={200: str})


def readyz() -> Call[Health]:
    """The process can sell."""
    return Call(method="GET", path="/readyz", answers={200: Health, 503: Health})
