"""How long the server takes for a product's page, warm: one request at a time over one connection that stays open."""

import statistics
import time
from typing import Any

import httpx

from tests.bench.api.figures import percentile
from tests.web.pages import PRODUCT, named
from tests.web.showcase import Showcase

WARM = 200  # requests before the first round: plans are kept, templates compiled


def measure(showcase: Showcase, rounds: int, requests: int) -> dict[str, Any]:
    """From sending the request to having the last byte: the whole server is in it, and the client's own parsing. p50 and p99 of each
    round, and the medians of those. Nobody asks `If-None-Match`, so each answer is made and compressed."""
    page = named(PRODUCT)
    path = page.path.format(**showcase.keeper.places)
    headers = {"X-Tessera-Store": showcase.slugs["shop"], "Accept-Language": "zh-CN", "Accept-Encoding": "gzip", "User-Agent": "Mobi"}
    told = []
    with httpx.Client(base_url=showcase.shop.api_url, headers=headers, trust_env=False) as client:
        for _ in range(WARM):
            assert client.get(path).status_code == page.status
        for _ in range(rounds):
            took_ms = []
            for _ in range(requests):
                began = time.perf_counter()
                client.get(path)
                took_ms.append((time.perf_counter() - began) * 1000)
            told.append({"p50_ms": round(percentile(took_ms, 0.5), 2), "p99_ms": round(percentile(took_ms, 0.99), 2)})
    medians = {name: statistics.median(each[name] for each in told) for name in ("p50_ms", "p99_ms")}
    return {"page": page.name, "requests": requests, "rounds": told, **medians}
