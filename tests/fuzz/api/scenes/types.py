"""Product types: what their acts need to succeed, and what people fulfil themselves."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple
from uuid import uuid4

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, LETTERS, Given, Scene, always

ACCOUNT = {"name": "account", "label": {"en": "Account"}}


class Sold(NamedTuple):
    """A licence of A's shopper."""

    order_id: str
    key: str
    unit: int


def types(place: Place) -> dict[str, Scene]:
    ask = place.ask

    def sku(type_: str, **config: int) -> str:
        new = {"product_id": place.ids["product_id"][0], "name": type_, "price_minor": 100, "type": type_, "config": config}
        return str(ask("POST", "/v1/skus", new)["id"])

    @cache
    def licence() -> Sold:
        sku_id = sku("licence", devices_max=1000)
        ask("POST", f"/v1/skus/{sku_id}/units", {"quantity": 1})
        sale = ask("POST", "/v1/sales", {"sku_id": sku_id, "name": "Editor", "units": 1, "limit_per_shopper": 0})["id"]
        order = place.paid(sale_id=sale)
        [code] = ask("GET", f"/v1/orders/{order}/codes", headers=place.headers["shopper"])["codes"]
        [found] = ask("POST", "/v1/types/licence/inspect", {"order_id": order})["licences"]
        return Sold(order, code["code"], found["unit"])

    reusable = cache(lambda: sku("reusable"))

    def of_licence(name: str) -> Callable[[str], Given | None]:
        return lambda _: Given({name: getattr(licence(), name)}) if place.house.whole else None

    @cache
    def by_hand() -> str:
        """A sale of what somebody has to do, after a shopper has said something."""
        about = {"type": "manual", "config": {"fields": [ACCOUNT]}}
        new = {"product_id": place.ids["product_id"][0], "name": "By hand", "price_minor": 100, **about}
        sku_id = str(ask("POST", "/v1/skus", new)["id"])
        ask("POST", f"/v1/skus/{sku_id}/units", {"quantity": 400})
        return str(ask("POST", "/v1/sales", {"sku_id": sku_id, "name": "By hand", "units": 300, "limit_per_shopper": 0})["id"])

    def asked() -> str:
        """An order of it, in which nothing is said yet."""
        return place.order(sale_id=by_hand())

    def waiting(_: str) -> Given | None:
        """A fulfilment, paid for."""
        if not place.house.whole:
            return None
        order, shopper = asked(), place.headers["shopper"]
        ask("PUT", f"/v1/orders/{order}/inputs/{by_hand()}", {"values": {"account": "deer-2026"}}, headers=shopper)
        place.pay(order)
        place.wait(f"/v1/orders/{order}", "paid", shopper)
        found = [each["id"] for each in ask("GET", "/v1/fulfilments?limit=100")["items"] if each["order_id"] == order]
        return Given({"fulfilment_id": found[0], "contents": []})

    @cache
    def credited() -> str:
        """A sale of top-ups that may be sent back again and again."""
        about = {"type": "topup", "config": {"credited": "100", "fields": [ACCOUNT], "corrections_max": 10}}
        new = {"product_id": place.ids["product_id"][0], "name": "Top-up", "price_minor": 100, **about}
        sku_id = str(ask("POST", "/v1/skus", new)["id"])
        ask("POST", f"/v1/skus/{sku_id}/units", {"quantity": 400})
        return str(ask("POST", "/v1/sales", {"sku_id": sku_id, "name": "Top-up", "units": 300, "limit_per_shopper": 0})["id"])

    def topup(*, asked_again: bool = False) -> Given | None:
        """One that is paid for, or that its shopper is asked of again."""
        if not place.house.whole:
            return None
        order, sale, shopper = place.order(sale_id=credited()), credited(), place.headers["shopper"]
        ask("PUT", f"/v1/orders/{order}/inputs/{sale}", {"values": {"account": "deer-2026"}}, headers=shopper)
        place.pay(order)
        place.wait(f"/v1/orders/{order}", "paid", shopper)
        [found] = [each["id"] for each in ask("GET", "/v1/fulfilments?limit=100")["items"] if each["order_id"] == order]
        if asked_again:
            ask("POST", "/v1/types/topup/send_back", {"fulfilment_id": found, "reason": "There is no such account."})
            return Given({"order_id": order, "sale_id": sale, "values": {"account": "doe-2027"}})
        return Given({"fulfilment_id": found, "order_id": order})

    def making(_: str) -> Given:
        sku_id = ask("GET", f"/v1/sales/{by_hand()}")["sku_id"]
        return Given({"sku_id": sku_id, "quantity": 1, "picks": [], "span": None})

    def unsaid(_: str) -> Given:
        return Given({"order_id": asked(), "sale_id": by_hand(), "values": {"account": "deer-2026"}})

    def changed(_: str) -> Given:
        return Given({"sku_id": reusable(), "code": uuid4().hex, "secret": None})

    return {
        "makeUnits": Scene(making),
        "giveInput": Scene(unsaid),
        "getFulfilment": Scene(waiting),
        "completeFulfilment": Scene(waiting, LETTERS),
        "failFulfilment": Scene(waiting, LETTERS),
        **{f"{act}Licence": Scene(of_licence("key")) for act in ("activate", "validate", "deactivate", "activations")},
        **{f"{act}Licence": Scene(of_licence("unit")) for act in ("reinstate", "free")},
        "inspectLicence": Scene(of_licence("order_id")),
        "suspendLicence": Scene(of_licence("unit"), after=lambda _: ask("POST", "/v1/types/licence/reinstate", {"unit": licence().unit})),
        "checkMembership": Scene(always(shopper_id=place.ids["shopper_id"][0], contact=None)),
        "changeReusable": Scene(changed, ALWAYS),
        **{f"{act}Topup": Scene(lambda _: topup()) for act in ("claim", "sendBack", "status")},
        "correctTopup": Scene(lambda _: topup(asked_again=True)),
        "historyReusable": Scene(lambda _: Given({"sku_id": reusable()})),
    }
