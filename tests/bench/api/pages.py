"""What a page of a store's orders costs: listed, filtered, searched; the first page, and the thousandth, or the last there is."""

import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx

from checkout_core.ids import encode
from tests.bench.api import data
from tests.bench.api.figures import told

LIMIT = 20
FAR = 1_000  # pages
AT_ONCE = 100  # orders a request, on the way there
STEPS_MAX = 2 * FAR * LIMIT // AT_ONCE  # on the way: pages of a search may be short
PLANNED = 6  # executions of a statement: Postgres plans its first five anew, and keeps a plan from the next one on


class Sample(NamedTuple):
    """Some of what the store has, to ask for."""

    sales: list[UUID]
    contacts: list[str]
    numbers: list[UUID]
    shoppers: list[UUID]
    since: str
    until: str
    tenant: UUID

    @classmethod
    async def of(cls, admin: asyncpg.Connection, tenant: UUID) -> "Sample":
        sql = "SELECT order_id, contact FROM order_entry WHERE tenant_id = $1 ORDER BY md5(order_id::text) LIMIT 500"
        rows = await admin.fetch(sql, tenant)
        numbers = [row["order_id"] for row in rows]
        sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = ANY($2)"
        sales = [row[0] for row in await admin.fetch(sql, tenant, numbers)]
        sql = "SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = ANY($2)"
        shoppers = [row[0] for row in await admin.fetch(sql, tenant, numbers)]
        sql = "SELECT max(at) - (max(at) - min(at)) * 0.7, max(at) - (max(at) - min(at)) * 0.1 FROM order_entry WHERE tenant_id = $1"
        since, until = [at.isoformat().replace("+00:00", "Z") for at in await admin.fetchrow(sql, tenant)]
        return cls(sales, [row["contact"] for row in rows if row["contact"]], numbers, shoppers, since, until, tenant)

    def sale(self, dice: random.Random) -> str:
        return encode("sal", dice.choice(self.sales))

    def tag(self, name: str) -> str:
        return encode("tag", data.tag(self.tenant, name))

    def shopper(self, dice: random.Random) -> str:
        return encode("shp", dice.choice(self.shoppers))

    def part(self, letters: int, dice: random.Random) -> str:
        """A part of a contact."""
        text = dice.choice(self.contacts)
        at = dice.randrange(max(1, len(text) - letters + 1))
        return text[at : at + letters]


Params = dict[str, str]
Case = Callable[[Sample, random.Random], Params]
# By everything that orders can be asked for by, alone and together; few of them have it, or most.
CASES: dict[str, Case] = {
    "list": lambda s, dice: {},
    "state, of most": lambda s, dice: {"state": "delivered"},
    "state, of few": lambda s, dice: {"state": "refunded"},
    "state, of hardly any": lambda s, dice: {"state": "awaiting"},
    "sale": lambda s, dice: {"sale_id": s.sale(dice)},
    "sale and state": lambda s, dice: {"sale_id": s.sale(dice), "state": "delivered"},
    "channel": lambda s, dice: {"channel": "live"},
    "channel and sale": lambda s, dice: {"channel": "live", "sale_id": s.sale(dice)},
    "state and channel, of most": lambda s, dice: {"state": "delivered", "channel": "web"},
    "state and channel, of few": lambda s, dice: {"state": "refunded", "channel": "live"},
    "sale, state and channel": lambda s, dice: {"sale_id": s.sale(dice), "state": "cancelled", "channel": "live"},
    "tag, of most": lambda s, dice: {"tag_id": s.tag("most")},
    "tag, of some": lambda s, dice: {"tag_id": s.tag("some")},
    "tag, of few": lambda s, dice: {"tag_id": s.tag("few")},
    "tag and state": lambda s, dice: {"tag_id": s.tag("some"), "state": "delivered"},
    "tag of most, state of few": lambda s, dice: {"tag_id": s.tag("most"), "state": "refunded"},
    "tag and sale": lambda s, dice: {"tag_id": s.tag("some"), "sale_id": s.sale(dice)},
    "tag and a channel it never has": lambda s, dice: {"tag_id": s.tag("live"), "channel": "web"},
    "tag, sale, state and channel": lambda s, dice: {
        "tag_id": s.tag("most"), "state": "delivered", "channel": "web", "sale_id": s.sale(dice),
    },
    "tag and part of a contact": lambda s, dice: {"tag_id": s.tag("some"), "q": s.part(5, dice)},
    "shopper": lambda s, dice: {"shopper_id": s.shopper(dice)},
    "shopper and all filters": lambda s, dice: {
        "shopper_id": s.shopper(dice), "state": "delivered", "channel": "web", "sale_id": s.sale(dice), "since": s.since, "until": s.until,
    },
    "since": lambda s, dice: {"since": s.since},
    "until": lambda s, dice: {"until": s.until},
    "some months": lambda s, dice: {"since": s.since, "until": s.until},
    "months and state": lambda s, dice: {"since": s.since, "until": s.until, "state": "expired"},
    "months, sale and channel": lambda s, dice: {"since": s.since, "until": s.until, "sale_id": s.sale(dice), "channel": "h5"},
    "months and all filters": lambda s, dice: {
        "since": s.since, "until": s.until, "sale_id": s.sale(dice), "channel": "web", "state": "delivered",
    },
    "number": lambda s, dice: {"q": encode("ord", dice.choice(s.numbers))},
    "beginning of a number": lambda s, dice: {"q": dice.choice(s.numbers).hex[:6]},
    "four digits of a number": lambda s, dice: {"q": dice.choice(s.numbers).hex[:4]},
    "number and state": lambda s, dice: {"q": dice.choice(s.numbers).hex[:4], "state": "delivered"},
    "contact": lambda s, dice: {"q": dice.choice(s.contacts)},
    "part of a contact": lambda s, dice: {"q": s.part(dice.randint(6, 8), dice)},
    "small part of a contact": lambda s, dice: {"q": s.part(dice.randint(3, 5), dice)},
    "two letters": lambda s, dice: {"q": s.part(2, dice)},
    "one letter": lambda s, dice: {"q": s.part(1, dice)},
    "two words of a contact": lambda s, dice: {"q": f"{s.part(3, dice)} {s.part(4, dice)}"},
    "what most contacts have": lambda s, dice: {"q": "example"},
    "what no contact has": lambda s, dice: {"q": s.part(5, dice) + "~"},
    "name of a sale": lambda s, dice: {"q": f"campaign {dice.randrange(200)}"},
    "name of a product": lambda s, dice: {"q": "steam 充值卡"},
    "Chinese name": lambda s, dice: {"q": "春节特惠"},
    "Chinese name and state": lambda s, dice: {"q": "春节特惠", "state": "refunded"},
    "part of a contact, state": lambda s, dice: {"q": s.part(5, dice), "state": "delivered"},
    "part of a contact, sale": lambda s, dice: {"q": s.part(5, dice), "sale_id": s.sale(dice)},
    "part of a contact, channel": lambda s, dice: {"q": s.part(5, dice), "channel": "live"},
    "part of a contact, months": lambda s, dice: {"q": s.part(5, dice), "since": s.since, "until": s.until},
    "part of a contact, all filters": lambda s, dice: {
        "q": s.part(4, dice), "state": "delivered", "channel": "web", "sale_id": s.sale(dice), "since": s.since, "until": s.until,
    },
    "what most have, all filters": lambda s, dice: {
        "q": "example", "state": "cancelled", "channel": "live", "sale_id": s.sale(dice), "since": s.since, "until": s.until,
    },
    "what most have, state of few": lambda s, dice: {"q": "example", "state": "refunded"},
}  # fmt: skip
# What the application said to Postgres, but for the ends of transactions and for whose key it is, which is remembered.
_SAID = r"""SELECT coalesce(sum(s.calls), 0)::bigint FROM pg_stat_statements AS s JOIN pg_roles AS r ON r.oid = s.userid
            WHERE r.rolname = 'tessera_app' AND s.query !~ '^(BEGIN|COMMIT|ROLLBACK|SELECT set_config)|api_key'"""


def statements(params: Params) -> int:
    """At most so many for a page: the orders and their lines; and to begin with the rarest of several lists one more."""
    if params.keys() & {"q", "shopper_id"} or (params.keys() >= {"sale_id"} and "tag_id" not in params):
        return 2
    lists = [bool(params.keys() & {"state", "sale_id"}), "channel" in params, "tag_id" in params]
    return 3 if sum(lists) > 1 else 2


class Pages:
    """`client` is the API in this process; one request at a time."""

    def __init__(self, client: httpx.AsyncClient, key: str, sample: Sample, admin: asyncpg.Connection) -> None:
        self._client, self._sample, self._admin = client, sample, admin
        self._headers = {"Authorization": f"Bearer {key}"}
        self._far: dict[str, Params] = {}

    async def prepare(self) -> None:
        """Let sessions plan, see how many statements each case takes, and go to its thousandth page, or to the last it has."""
        await self._admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        dice = random.Random(0)
        for name, case in CASES.items():
            # Of the sales the largest, so that there is such a page.
            sales = [max(set(self._sample.sales), key=self._sample.sales.count)]
            params = case(self._sample._replace(sales=sales), dice)
            for _ in range(PLANNED):
                await self._asked(params)
            await self._count(name, params)
            page, cursor = await far(self._asked, params)
            if cursor:
                self._far[f"{name}, page {page:,}"] = params | {"cursor": cursor}
                await self._count(name, params | {"cursor": cursor})

    async def round(self, requests: int, seed: int) -> dict[str, dict[str, Any]]:
        """Milliseconds of whole requests, of every case; how many orders were on a page."""
        dice = random.Random(seed)
        asked: dict[str, Case] = CASES | {name: lambda s, dice, params=params: params for name, params in self._far.items()}
        return {name: await self._measure(case, requests, dice) for name, case in asked.items()}

    async def _measure(self, case: Case, requests: int, dice: random.Random) -> dict[str, Any]:
        took, items = [], 0
        for _ in range(requests):
            params = case(self._sample, dice)
            began = time.perf_counter()
            page = await self._asked(params)
            took.append((time.perf_counter() - began) * 1000)
            items += len(page["items"])
        return told(took) | {"items": round(items / requests, 1)}

    async def _asked(self, params: Params) -> dict[str, Any]:
        response = await self._client.get("/v1/orders", params={"limit": str(LIMIT)} | params, headers=self._headers)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def _count(self, name: str, params: Params) -> None:
        before = await self._admin.fetchval(_SAID)
        page = await self._asked(params)
        said = await self._admin.fetchval(_SAID) - before
        assert said == statements(params) or (said < statements(params) and not page["items"]), f"{name}: {said} statements"


async def far(ask: Callable[[Params], Awaitable[dict[str, Any]]], asked: Params) -> tuple[int, str | None]:
    """Number and cursor of page `FAR`, or of the last that lies behind `AT_ONCE` orders more; no cursor if all are on one."""
    passed, page, found = 0, 1, None
    for _ in range(STEPS_MAX):
        limit = min(AT_ONCE, (FAR - 1) * LIMIT - passed)
        answer = await ask(asked | ({"cursor": found} if found else {}) | {"limit": str(limit)})
        passed += len(answer["items"])
        if answer["next_cursor"] is None:
            break
        page, found = passed // LIMIT + 1, answer["next_cursor"]
        if page == FAR:
            break
    return page, found
