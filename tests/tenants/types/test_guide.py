"""docs/guides/product-type.md, followed to the letter: its code in a folder elsewhere, sold by a real API and a real worker."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from api.process import Process, open_process
from tessera.embedded import Servers
from tests.api.test_server import environ, ready, started
from tests.house.sources import ROOT
from tests.paying import pay
from tests.security.database import own_database
from tests.shop import Store, open_store

GUIDE = ROOT / "docs" / "guides" / "product-type.md"
REDEEM = "/v1/types/voucher/redeem"


class Installation(NamedTuple):
    """A store at a running API, and what its processes write to."""

    store: Store
    process: Process
    client: httpx.AsyncClient
    folder: Path


def example() -> str:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return str(code)


@contextmanager
def working(env: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", "tessera", "worker"], env=env, stdout=subprocess.DEVNULL) as worker:
        try:
            yield
        finally:
            worker.kill()


@pytest.fixture(scope="module")
async def installed(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("our-types")
    (folder / "voucher").mkdir()
    (folder / "voucher" / "__init__.py").write_text(example())
    async with own_database(servers, "guide") as settings, open_process(settings) as process:
        env = environ(servers, settings, TESSERA_TYPES_PATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
        with started(env) as (_, url), working(env):
            async with ready(url) as client:
                yield Installation(await open_store(client, process), process, client, folder)


async def shopper(store: Store) -> dict[str, str]:
    made = await store.ask("POST", "/v1/shopper-tokens", store.at)
    return {"Authorization": f"Bearer {made['token']}", **store.at}


async def sale_of(store: Store, **config: int) -> str:
    """As the guide says: a SKU of the type, units made, a sale."""
    merchant = store.merchant
    product = (await store.ask("POST", "/v1/products", merchant, {"name": "Canteen"}))["id"]
    new = {"product_id": product, "name": "Meals", "price_minor": 9900, "type": "voucher", "config": config}
    sku = (await store.ask("POST", "/v1/skus", merchant, new))["id"]
    await store.ask("POST", f"/v1/skus/{sku}/units", merchant, {"quantity": 3})
    sale = await store.ask("POST", "/v1/sales", merchant, {"sku_id": sku, "name": "Canteen", "units": "all", "limit_per_shopper": 0})
    return str(sale["id"])


async def bought(store: Store, who: dict[str, str], sale: str) -> tuple[str, int]:
    """The order once it is delivered, and the voucher's number, as its note says."""
    headers = who | {"Idempotency-Key": uuid4().hex}
    order = str((await store.ask("POST", "/v1/checkouts", headers, {"sale_id": sale, "quantity": 1}))["id"])
    assert await pay(store, order) == "applied"
    async with asyncio.timeout(30):
        while (await store.ask("GET", f"/v1/orders/{order}", who))["state"] != "delivered":  # noqa: ASYNC110  the worker is elsewhere
            await asyncio.sleep(0.05)
    [shown] = (await store.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
    found = re.fullmatch(r"Voucher (\d+): 2 meals\.", shown["note"])
    assert found, shown
    return order, int(found[1])


async def redeem(installed: Installation, who: dict[str, str], voucher: int, receipt: str) -> tuple[int, Any]:
    answer = await installed.client.post(REDEEM, headers=who, json={"voucher": voucher, "receipt": receipt})
    said = answer.json()
    return answer.status_code, said.get("meals_left", said.get("code"))


async def test_it_is_listed_and_documented(installed: Installation) -> None:
    listed = (await installed.store.ask("GET", "/v1/types", installed.store.merchant))["types"]
    [voucher] = [each for each in listed if each["name"] == "voucher"]
    assert voucher["label"]["zh-CN"] == "餐券"
    assert voucher["config"]["$defs"]["Config"]["properties"]["meals"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
    document = (await installed.client.get("/openapi.json")).json()
    operation = document["paths"][REDEEM]["post"]
    assert (operation["operationId"], operation["security"]) == ("redeemVoucher", [{"shopper": []}])
    assert operation["requestBody"]["content"]["application/json"]["example"] == {"voucher": 4711, "receipt": "till-3/8120"}


async def test_one_is_sold_used_up_and_refunded(installed: Installation) -> None:
    store = installed.store
    who, sale = await shopper(store), await sale_of(store, meals=2)
    order, voucher = await bought(store, who, sale)
    assert await redeem(installed, who, voucher, "till-1") == (200, 1)
    assert await redeem(installed, who, voucher, "till-1") == (200, 1)
    answers = await asyncio.gather(*(redeem(installed, who, voucher, f"till-2/{n}") for n in range(5)))
    assert sorted(answers) == [(200, 0), *[(409, "voucher_used_up")] * 4]
    await store.ask("POST", f"/v1/orders/{order}/refund", store.merchant)
    assert await redeem(installed, who, voucher, "till-3") == (409, "voucher_revoked")


async def test_it_is_nobody_elses(installed: Installation) -> None:
    store = installed.store
    who, sale = await shopper(store), await sale_of(store, meals=2)
    _, voucher = await bought(store, who, sale)
    other_store = await open_store(installed.client, installed.process)
    assert (await redeem(installed, store.at, voucher, "x"))[0] == 401
    missing = await installed.client.post(REDEEM, headers=who, json={"voucher": 10**12, "receipt": "x"})
    assert missing.status_code == 404
    for stranger in (await shopper(store), await shopper(other_store)):
        answer = await installed.client.post(REDEEM, headers=stranger, json={"voucher": voucher, "receipt": "x"})
        assert (answer.status_code, answer.text) == (404, missing.text)
    assert await redeem(installed, who, voucher, "x") == (200, 1)


async def test_a_config_that_is_not_its_is_refused(installed: Installation) -> None:
    store = installed.store
    product = (await store.ask("POST", "/v1/products", store.merchant, {"name": "Canteen"}))["id"]
    new = {"product_id": product, "name": "Meals", "price_minor": 1, "type": "voucher", "config": {"meals": 0}}
    answer = await installed.client.post("/v1/skus", headers=store.merchant, json=new)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_config")
    assert "meals" in answer.json()["detail"]


async def test_it_is_one_folder(installed: Installation) -> None:
    assert [path.relative_to(installed.folder).as_posix() for path in sorted(installed.folder.rglob("*")) if path.is_file()] == [
        "voucher/__init__.py"
    ]


async def test_without_its_folder_there_is_no_such_type(client: httpx.AsyncClient, acme: Store) -> None:
    new = {"product_id": await acme.product(), "name": "Meals", "price_minor": 1, "type": "voucher"}
    answer = await client.post("/v1/skus", headers=acme.merchant, json=new)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_type")


def test_a_folder_of_another_name_says_so(tmp_path: Path) -> None:
    (tmp_path / "coupon").mkdir()
    (tmp_path / "coupon" / "__init__.py").write_text(example())
    code = "import os; os.environ['TESSERA_TYPES_PATH'] = os.sys.argv[1]; import tenants.types"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 1
    assert "the type in tenants.types.coupon calls itself voucher" in done.stderr
