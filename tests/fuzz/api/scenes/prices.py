"""Price lists, the prices on them, and who is in which group of buyers."""

from uuid import uuid4

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene

ANY, CSV = {"If-Match": "*"}, {"Content-Type": "text/csv"}


def prices(place: Place) -> dict[str, Scene]:
    ask, shopper, sku = place.ask, place.ids["shopper_id"][0], place.ids["sku_id"][0]
    plain = {"group_id": None, "channel": None, "starts_at": None, "ends_at": None}

    def named(**more: object) -> Given:
        return Given({"name": uuid4().hex, **more})

    def price_list() -> str:
        return str(ask("POST", "/v1/price-lists", {"name": uuid4().hex})["id"])

    def group(*, member: bool = False) -> str:
        made = str(ask("POST", "/v1/buyer-groups", {"name": uuid4().hex, "kind": "level"})["id"])
        if member:
            ask("PUT", f"/v1/buyer-groups/{made}/members/{shopper}")
        return made

    kept, kept_group = price_list(), group(member=True)
    place.ids |= {"list_id": [kept], "group_id": [kept_group]}
    ask("PATCH", f"/v1/skus/{place.ids['sku_id'][-1]}", {"reference": "FUZZ"}, headers=place.key | ANY)
    name = uuid4().hex
    ask("POST", "/v1/price-lists", {"name": name})
    file = f"list,reference,price\n{name},FUZZ,1.00\n".encode()
    entry = {"sku_id": sku, "least_quantity": 1}
    return {
        "createPriceList": Scene(lambda _: named(**plain), ALWAYS, place.deletes("price-lists")),
        "changePriceList": Scene(lambda _: named(list_id=kept, **plain, **ANY), ALWAYS),
        "removePriceList": Scene(lambda _: Given({"list_id": price_list()}), ALWAYS),
        "putPrices": Scene(lambda _: Given({"list_id": kept, "entries": [entry | {"unit_minor": 9800}]})),
        "importPrices": Scene(lambda _: Given({"encoding": None, "delimiter": None}, file, CSV)),
        "createBuyerGroup": Scene(lambda _: named(), ALWAYS, place.deletes("buyer-groups")),
        "changeBuyerGroup": Scene(lambda _: named(group_id=kept_group, **ANY), ALWAYS),
        "removeBuyerGroup": Scene(lambda _: Given({"group_id": group()}), ALWAYS),
        "putGroupMember": Scene(lambda _: Given({"group_id": kept_group, "shopper_id": shopper})),
        "removeGroupMember": Scene(lambda _: Given({"group_id": group(member=True), "shopper_id": shopper}), ALWAYS),
    }
