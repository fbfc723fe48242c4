"""Platform. Written by `make client`; not to be edited."""

from typing import Any

from loadtests.client.core import Call


def may_issue_certificate(*, domain: str) -> Call[dict[str, Any]]:
    """Whether a host may have a certificate; for the proxy alone."""
    return Call(method="GET", path="/v1/tls/may-issue", answers={200: dict[str, Any]}, query={"domain": domain})
