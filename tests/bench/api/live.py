"""What the console asks all day: the overview of a store with a million orders, and how its largest sale went."""

import time
from typing import Any

import httpx

from tests.bench.api.figures import told


class Live:
    """`client` is the API in this process; one request at a time."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    async def round(self, requests: int) -> dict[str, dict[str, Any]]:
        """Milliseconds of whole requests."""
        listed = (await self._asked("/v1/sales?limit=100"))["sales"]
        funnels = {sale["id"]: (await self._asked(f"/v1/sales/{sale['id']}/funnel"))["reserved"]["orders"] for sale in listed}
        largest = max(funnels, key=lambda sale: funnels[sale])
        assert funnels[largest] > 0
        paths = {
            "overview": "/v1/overview",
            "funnel of the largest sale": f"/v1/sales/{largest}/funnel",
            "its last hour by the second": f"/v1/sales/{largest}/seconds?last_s=3600",
        }
        return {name: told([await self._timed(path) for _ in range(requests)]) for name, path in paths.items()}

    async def _timed(self, path: str) -> float:
        began = time.perf_counter()
        await self._asked(path)
        return (time.perf_counter() - began) * 1000

    async def _asked(self, path: str) -> Any:
        response = await self._client.get(path, headers=self._headers)
        assert response.status_code == 200, response.text
        return response.json()
