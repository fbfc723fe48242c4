"""Adapters that pass a failpoint before and after each call of their provider. They exist only where failpoints are on."""

from typing import Any, Final

from checkout_core import failpoints
from checkout_core.failpoints import Site
from tenants.payments.provider import Provider

CALLS: Final = ("create", "query", "close", "refund", "query_refund")


class WatchedProvider:
    """Everything else is the adapter's own."""

    def __init__(self, adapter: Provider) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if name not in CALLS:
            return found

        async def watched(*args: Any, **options: Any) -> Any:
            return await failpoints.around(Site(f"provider.{name}", "-"), lambda: found(*args, **options))

        return watched


def watched(adapter: Provider) -> Provider:
    return WatchedProvider(adapter) if failpoints.ON else adapter
