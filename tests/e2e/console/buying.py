"""Shoppers by the API, where a journey is about what happens afterwards."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

import httpx

from tests.e2e.conftest import Merchant


@dataclass
class Guest:
    """Somebody at a store, and what he ordered last."""

    merchant: Merchant
    api: httpx.Client
    order: str = ""
    opened: ClassVar[list[httpx.Client]] = []

    @classmethod
    def of(cls, merchant: Merchant) -> "Guest":
        api = httpx.Client(base_url=merchant.shop.api_url, headers={"X-Tessera-Store": merchant.slug})
        cls.opened.append(api)
        api.headers["authorization"] = f"Bearer {posted(api, '/v1/shopper-tokens', {})['token']}"
        return cls(merchant, api)

    @classmethod
    def leave(cls) -> None:
        """All of them go home."""
        while cls.opened:
            cls.opened.pop().close()

    def buy(self, sale: str, quantity: int = 1, contact: str | None = None, **said: str) -> str:
        """An order that is not paid; `said` is what its one line asks for."""
        body = {"sale_id": sale, "quantity": quantity, "contact": contact}
        self.order = posted(self.api, "/v1/checkouts", body, {"Idempotency-Key": uuid4().hex})["id"]
        until(lambda: self.api.get(f"/v1/orders/{self.order}").status_code == 200)
        if said:
            given = self.api.put(f"/v1/orders/{self.order}/inputs/{sale}", json={"values": said})
            assert given.status_code == 204, given.text
        return self.order

    def start(self) -> Any:
        """An attempt to pay: where, and its number at the provider."""
        return posted(self.api, f"/v1/orders/{self.order}/payments", {})

    def pay(self, attempt: Any = None, **how: Any) -> None:
        attempt = attempt or self.start()
        office(self.merchant, "POST", f"pay/{attempt['pay_url'].rsplit('/', 1)[1]}", how)

    def reaches(self, *states: str) -> None:
        until(lambda: self.api.get(f"/v1/orders/{self.order}").json()["state"] in states)

    def has(self, sale: str, quantity: int = 1, contact: str | None = None, *, state: str = "delivered", **said: str) -> str:
        """An order that is paid."""
        self.buy(sale, quantity, contact, **said)
        self.pay()
        self.reaches(state)
        return self.order


def office(merchant: Merchant, method: str, path: str, body: Any = None) -> None:
    """The sandbox provider's back office."""
    headers = {"authorization": f"Bearer {merchant.shop.provider.admin_token}"}
    answer = httpx.request(method, f"{merchant.shop.provider_url}/admin/{path}", json=body, headers=headers)
    assert answer.status_code < 300, answer.text


def topup(merchant: Merchant, units: int = 3) -> str:
    """A sale of what is credited by hand."""
    api = merchant.api
    product = posted(api, "/v1/products", {"name": "话费充值"})["id"]
    sku = {"product_id": product, "name": "100 元", "price_minor": 9900, "currency": "CNY", "type": "topup"}
    sku_id = posted(api, "/v1/skus", sku | {"config": {"credited": "100 元话费"}})["id"]
    posted(api, f"/v1/skus/{sku_id}/units", {"quantity": units})
    return str(posted(api, "/v1/sales", {"sku_id": sku_id, "name": "话费 100 元", "units": units, "limit_per_shopper": 0})["id"])


def posted(api: httpx.Client, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    answer = api.post(path, json=body, headers=headers)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
