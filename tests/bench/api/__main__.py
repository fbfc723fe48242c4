"""What the API costs with 10,000 merchants, and with a million orders of one beside 50 others: build/api.json.

    python -m tests.bench.api                          all of it, some minutes
    python -m tests.bench.api --smoke                  a look at it, seconds
    python -m tests.bench.api --data FOLDER --steps merchants,orders     in pieces: the data stay in FOLDER
    python -m tests.bench.api --data FOLDER --steps others,pages,live,units,exports,limits,lag,noted,ways

Steps: `merchants` signs up and fills; `orders` writes the million, `others` those of fifty more; `pages` asks, `live` for figures; `units`
loads a million codes of one SKU and asks for them; `exports` makes files of all orders; `limits` weighs the rate limit; `lag` sells and
waits until it is indexed; `noted` weighs what a commit pays for that; `ways` tries the other ways to search (docs/decisions). A goal that
is missed is said, and the exit code is 1.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop

from api.app import create_app
from api.process import Process, open_process
from checkout_core.config import Settings
from checkout_core.ids import decode
from loadtests.bench import machine
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.bench.api import data, exports, figures, limits, live, merchants, noted, units, ways
from tests.bench.api.lag import lag
from tests.bench.api.pages import Pages, Sample

ROOT = Path(__file__).parents[3]
STEPS = ("merchants", "orders", "others", "pages", "live", "units", "exports", "limits", "lag", "noted", "ways")
BIG = "big"  # the name in the notes of the store with the many orders


_OTHERS = "SELECT id FROM tenant WHERE slug LIKE 'bench-%' ORDER BY slug LIMIT $1"


class Bench:
    def __init__(self, process: Process, environ: dict[str, str], size: data.Size, notes: dict[str, Any]) -> None:
        self.process, self.settings, self.environ, self.size, self.notes = process, process.settings, environ, size, notes

    async def merchants(self, client: httpx.AsyncClient) -> None:
        """With one, with some, and with all."""
        url = self.settings.database_url
        found: dict[str, Any] = {}
        for count in self.size.tenants:
            filled_s = await data.tenants(url, count)
            found[str(count)] = {
                "filled_s": round(filled_s, 2),
                "sweep": await merchants.sweeps(self.settings),
                "start": await merchants.starts("api", self.size.starts, self.environ),
                "start_of_worker": await merchants.starts("worker", self.size.starts, self.environ),
            }
            found[str(count)]["sign_up"], self.notes[BIG] = await merchants.sign_ups(client, url, self.size.sign_ups)
        few, *_, many = found.values()
        found["ratios"] = {what: round(many[what]["cpu_ms"] / few[what]["cpu_ms"], 2) for what in merchants.GROWING}
        self.notes["merchants"] = found

    async def orders(self, client: httpx.AsyncClient) -> None:
        took = await data.orders(self.settings.database_url, await self.tenant(client), self.size.orders)
        self.notes["orders"] = {"orders": self.size.orders, "loaded_s": took}

    async def others(self, client: httpx.AsyncClient) -> None:
        admin = await asyncpg.connect(self.settings.database_url)
        others = [row[0] for row in await admin.fetch(_OTHERS, self.size.others)]
        rest = [await data.orders(self.settings.database_url, other, self.size.orders_each) for other in others]
        self.notes["orders"] |= {
            "others": len(others), "orders_each": self.size.orders_each,
            "others_loaded_s": round(sum(sum(each.values()) for each in rest), 2),
        }  # fmt: skip
        await admin.execute("VACUUM (ANALYZE)")
        sql = """SELECT relname, pg_total_relation_size(oid) / 1024 / 1024 AS mib FROM pg_class
                 WHERE relname IN ('orders', 'order_line', 'order_entry', 'order_posting', 'search_text', 'search_gram')"""
        self.notes["orders"]["mib"] = {row[0]: row[1] for row in await admin.fetch(sql)}
        await admin.close()

    async def pages(self, client: httpx.AsyncClient) -> None:
        admin = await asyncpg.connect(self.settings.database_url)
        asked = Pages(client, self.notes[BIG], await Sample.of(admin, await self.tenant(client)), admin)
        await asked.prepare()
        rounds = [await asked.round(self.size.requests, seed) for seed in range(1, self.size.rounds + 1)]
        await admin.close()
        self.notes["pages"] = {name: [each[name] for each in rounds] for name in rounds[0]}

    async def units(self, client: httpx.AsyncClient) -> None:
        self.notes["units"], self.notes["unit_pages"] = await units.measure(
            self.process, client, self.notes[BIG], await self.tenant(client), units=self.size.units, requests=self.size.requests,
            rounds=self.size.rounds,
        )  # fmt: skip

    async def exports(self, client: httpx.AsyncClient) -> None:
        self.notes["exports"] = await exports.measure(client, self.process, self.notes[BIG], await self.tenant(client))

    async def lag(self, client: httpx.AsyncClient) -> None:
        self.notes["lag"] = await lag(self.settings, client, self.notes[BIG], await self.tenant(client), large=self.size is data.FULL)

    async def limits(self, client: httpx.AsyncClient) -> None:
        self.notes["limits"] = await limits.measure(client, self.process, self.notes[BIG], self.size.requests, self.size.rounds)

    async def noted(self, client: httpx.AsyncClient) -> None:
        tenant = await self.tenant(client)
        self.notes["noted"] = await noted.measure(self.settings, client, self.notes[BIG], tenant, self.size.requests, self.size.rounds)

    async def live(self, client: httpx.AsyncClient) -> None:
        """The console's first page, and how a sale went."""
        asked = live.Live(client, self.notes[BIG])
        rounds = [await asked.round(self.size.requests) for _ in range(self.size.rounds)]
        self.notes["live"] = {name: [each[name] for each in rounds] for name in rounds[0]}

    async def ways(self, client: httpx.AsyncClient) -> None:
        self.notes["ways"] = await ways.compare(self.settings, client, self.notes[BIG], await self.tenant(client), self.size.requests)

    async def tenant(self, client: httpx.AsyncClient) -> Any:
        """Whose key it is."""
        admin = await asyncpg.connect(self.settings.database_url)
        key_id = (await client.get("/v1/api-keys", headers={"Authorization": f"Bearer {self.notes[BIG]}"})).json()["api_keys"][0]["id"]
        found = await admin.fetchval("SELECT tenant_id FROM api_key WHERE id = $1", decode("key", key_id))
        await admin.close()
        return found


def judge(notes: dict[str, Any]) -> list[str]:
    """The goals that were missed, in words."""
    missed = []
    found = dict(notes.get("merchants", {}))
    for what, ratio in found.pop("ratios", {}).items():
        if ratio > figures.GOAL_RATIO:
            missed.append(f"{what} grows with merchants: × {ratio}")
    for count, costs in found.items():
        if costs["sign_up"]["p99_ms"] > figures.GOAL_SIGN_UP_MS:
            missed.append(f"a sign-up beside {count} merchants: p99 {costs['sign_up']['p99_ms']} ms")
    for name, rounds in (notes.get("pages", {}) | notes.get("unit_pages", {}) | notes.get("live", {})).items():
        if (worst := max(each["p99_ms"] for each in rounds)) > figures.GOAL_PAGE_MS:
            missed.append(f"{name}: p99 {worst} ms")
    if (lag := notes.get("lag")) and lag["waited"]["max_ms"] > figures.GOAL_LAG_MS:
        missed.append(f"an order of a rush was indexed {lag['waited']['max_ms']} ms after it was due")
    return missed


async def run(servers: Servers, size: data.Size, steps: list[str], notes: dict[str, Any], kept: Path) -> None:
    environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32, "TESSERA_PUBLIC_URL": "http://localhost"}
    environ |= {"TESSERA_IP_LIMIT_FACTOR": "100000"}
    settings = Settings.from_env(environ)
    await migrate(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with open_process(settings) as app.state.process, httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        bench = Bench(app.state.process, environ, size, notes)
        for step in steps:
            began = time.monotonic()
            await getattr(bench, step)(client)
            notes.setdefault("took_s", {})[step] = round(time.monotonic() - began, 1)
            kept.write_text(json.dumps(notes, ensure_ascii=False))
            print(step, json.dumps(notes.get(step), ensure_ascii=False), flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.api", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--data", type=Path, help="keep the servers' data there, for the next steps")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "api.json")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = args.data or Path(temporary)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        kept = folder / "notes.json"
        notes = json.loads(kept.read_text()) if kept.exists() else {"machine": machine.about_the_machine(), "load_average": os.getloadavg()}
        with Servers(folder) as servers:
            uvloop.run(run(servers, data.SMOKE if args.smoke else data.FULL, args.steps.split(","), notes, kept))
    missed = judge(notes)
    args.out.parent.mkdir(exist_ok=True)
    said = {name: value for name, value in notes.items() if name != BIG} | {"missed": missed}
    args.out.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    print(*(f"MISSED {goal}" for goal in missed), f"written to {args.out}", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
