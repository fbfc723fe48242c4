"""A store, and what it sells."""

import datetime as dt
from collections.abc import Callable
from uuid import uuid4

from tests.fuzz.api.place import Place, codes
from tests.fuzz.api.scenes.scene import ALWAYS, LETTERS, Given, Scene, Success, always
from tests.pictures import picture

PNG, TEXT, ANY = {"Content-Type": "image/png"}, {"Content-Type": "text/plain"}, {"If-Match": "*"}
FILTERS = ("q", "state", "channel", "sale_id", "tag_id", "shopper_id", "since", "until")  # of orders
SETTINGS = {"currency": "CNY", "zone": "Asia/Shanghai", "locale": "zh-CN", "locales": ["zh-CN", "en"]}


def store(place: Place) -> dict[str, Scene]:
    ask, slug = place.ask, place.store.slug

    def domain(_: str) -> Given:
        return Given({"domain_id": place.domain()})

    def move_back(done: Success) -> None:
        home = place.foreign if done.role == "foreign-key" else place.store
        ask("PUT", "/v1/store/address", {"slug": home.slug}, headers=home.key)

    def logo(_: str) -> Given:
        place.desk.ask("PUT", "/v1/store/images/logo", place.key | PNG, file=picture())
        return Given({"kind": "logo"})

    def translation(_: str) -> Given:
        subject = place.ids["product_id"][0]
        ask("PUT", f"/v1/translations/{subject}/en", {"name": "x"})
        return Given({"subject_id": subject, "locale": "en"})

    def endpoint(_: str) -> Given:
        return Given({"endpoint_id": place.webhook()[0]})

    def waiting(_: str) -> Given:
        delivery = place.ids["delivery_id"][0]
        ask("POST", f"/v1/webhook-deliveries/{delivery}/redeliver")
        return Given({"delivery_id": delivery})

    return {
        "changeStore": Scene(
            lambda _: Given({"If-Match": "*", "closed": False}),  # a closed store refuses everybody else
            after=lambda done: ask("PATCH", "/v1/store", SETTINGS, headers=place.key_of(done.role) | ANY),
        ),
        "putStoreImage": Scene(lambda _: Given({"kind": "logo"}, picture(), PNG)),
        "deleteStoreImage": Scene(logo, ALWAYS),
        "moveStore": Scene(lambda role: Given({"slug": f"{slug}-{len(role)}"}) if role != "foreign-key" else None, after=move_back),
        "setPrimaryHost": Scene(always(host=f"{slug}.localhost")),
        "addDomain": Scene(lambda _: Given({"domain": f"{uuid4().hex}.example.com"}), ALWAYS, place.deletes("domains")),
        "verifyDomain": Scene(domain),
        "removeDomain": Scene(domain, ALWAYS),
        "putChannel": Scene(always(code="own_1")),
        "setSaleChannels": Scene(always(channels=None)),
        "setProductChannels": Scene(always(channels=None)),
        "removeTranslation": Scene(translation, ALWAYS),
        "createWebhookEndpoint": Scene(
            always(url="https://example.com/x", event_types=["*"]),
            after=lambda done: ask("DELETE", f"/v1/webhook-endpoints/{done.answer['endpoint']['id']}", headers=place.key_of(done.role)),
        ),
        "changeWebhookEndpoint": Scene(always(url="http://127.0.0.1:9/y", event_types=["sale.published"])),
        "deleteWebhookEndpoint": Scene(endpoint, ALWAYS),
        "cancelWebhookDelivery": Scene(waiting, ALWAYS),
    }


def selling(place: Place) -> dict[str, Scene]:
    ask, desk = place.ask, place.desk

    def sale(state: str) -> Callable[[str], Given]:
        def make(_: str) -> Given:
            sale_id = place.sale(0)
            if state == "paused":
                ask("POST", f"/v1/sales/{sale_id}/pause")
            return Given({"sale_id": sale_id})

        return make

    def line(_: str) -> Given | None:
        """A flash sale that is drawn for, once its gate is loaded."""
        if not place.house.whole:
            return None
        starts_at = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
        new = {"sku_id": place.ids["sku_id"][0], "name": "Draw", "units": 1, "limit_per_shopper": 0, "door": "gate"}
        sale_id = ask("POST", "/v1/sales", new | {"waiting_room": "draw", "starts_at": starts_at})["id"]
        place.until(lambda: desk.send("POST", f"/v1/waiting-rooms/{sale_id}", place.headers["shopper"], {}).is_success, "a gate")
        return Given({"sale_id": sale_id})

    def order(_: str) -> Given:
        return Given({"order_id": place.order()})

    def cancel(done: Success) -> None:
        desk.send("POST", f"/v1/orders/{done.answer['id']}/cancel", place.headers[done.role])

    def delivered(_: str) -> Given | None:
        return Given({"order_id": place.ids["order_id"][0], "mail": "ann@example.org"}) if place.house.whole else None

    def exported(_: str) -> Given | None:
        if not place.house.whole:
            return None
        export = place.ids["export_id"][0]
        place.wait(f"/v1/order-exports/{export}", "done")
        return Given({"export_id": export})

    def file(_: str) -> Given:
        return Given({"sku_id": place.ids["sku_id"][0]}, codes(3), TEXT)

    def end(sale_id: str) -> None:
        ask("POST", f"/v1/sales/{sale_id}/end")

    def faulty(_: str) -> Given:
        """A unit that was delivered a moment ago."""
        place.paid()
        [unit] = ask("GET", f"/v1/vault/units?sku_id={place.ids['sku_id'][-1]}&state=sold&limit=1")["units"]
        return Given({"unit_id": str(unit["unit"])})

    def shelved(_: str) -> Given:
        """A SKU that is on the shelf, with all that is loose."""
        ask("PUT", f"/v1/skus/{shelf}/shelf", {"units": "all", "takes_new_stock": True})
        return Given({"sku_id": shelf})

    def cart(role: str) -> Given:
        shelved(role)
        return Given({"lines": [{"sku_id": shelf, "quantity": 1}]})

    shelf = place.ids["sku_id"][1]
    spare = [int(unit) for unit in place.ids["unit_id"]][:5]
    last, unpaid = place.ids["sale_id"][-1], place.ids["order_id"][-1]
    account = place.house.account(place.store.slug)
    return {
        "importCodes": Scene(file, ALWAYS),
        "previewCodes": Scene(file),
        "resumeImport": Scene(lambda _: Given({"import_id": place.ids["import_id"][0]}, codes(3), TEXT)),
        "listUnits": Scene(always(sku_id=place.ids["sku_id"][0])),
        "lockUnits": Scene(always(units=spare)),
        "unlockUnits": Scene(always(units=spare)),
        "voidUnits": Scene(always(units=spare[-1:])),
        "replaceUnit": Scene(faulty if place.house.whole else lambda _: None, LETTERS),
        "setBatch": Scene(always(valid_from=None, valid_until=None)),
        "recallBatch": Scene(always(fate="locked")),
        "createSale": Scene(always(units=1, starts_at=None, ends_at=None), after=lambda done: end(done.answer["id"])),
        "pauseSale": Scene(sale("open"), ALWAYS, lambda done: end(done.answer["id"])),
        "resumeSale": Scene(sale("paused"), ALWAYS, lambda done: end(done.answer["id"])),
        "endSale": Scene(sale("open"), ALWAYS),
        "setSaleLimit": Scene(always(sale_id=last)),
        "changeSaleStock": Scene(
            always(sale_id=last, add=None, withdraw=1), after=lambda _: desk.send("POST", f"/v1/sales/{last}/stock", place.key, {"add": 1})
        ),
        "createCheckout": Scene(always(sale_id=last), after=cancel),
        "joinWaitingRoom": Scene(line),
        "getPlaceInLine": Scene(line),
        "leaveWaitingRoom": Scene(line),
        "putOnShelf": Scene(always(sku_id=shelf, units=1)),
        "takeOffShelf": Scene(shelved, ALWAYS),
        "createOrder": Scene(cart, ALWAYS, cancel),
        "createQuote": Scene(cart),
        "putCart": Scene(cart),
        "cancelOrder": Scene(order, ALWAYS),
        "startPayment": Scene(always(order_id=unpaid, provider="sandbox")),
        "refundOrder": Scene(
            lambda _: Given({"order_id": place.paid(), "units": None, "sale_ids": None}) if place.house.whole else None, LETTERS
        ),
        "revealCodes": Scene(always(order_id=place.ids["order_id"][0])),
        "putOrderTags": Scene(lambda _: Given({"tag_ids": [place.tag()]})),
        "createOrderTag": Scene(lambda _: Given({"name": uuid4().hex}), ALWAYS, place.deletes("order-tags")),
        "renameOrderTag": Scene(lambda _: Given({"tag_id": place.tag(), "name": uuid4().hex}), ALWAYS, place.deletes("order-tags")),
        "deleteOrderTag": Scene(lambda _: Given({"tag_id": place.tag()}), ALWAYS),
        "resendOrder": Scene(delivered),
        "actOnOrders": Scene(always(act="tag", order_ids=place.ids["order_ids"], tag_id=place.ids["tag_id"][0], reason=None)),
        "exportOrders": Scene(always(**dict.fromkeys(FILTERS), format="csv")),
        "downloadOrders": Scene(exported),
        "remindOfOrders": Scene(always(contact="ann@example.org")),
        "lookUpOrder": Scene(always(order_id=unpaid, contact="ann@example.org", lookup_password=None)),
        "connectProviderAccount": Scene(always(**account)),
    }
