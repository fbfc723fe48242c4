"""A store's catalogue, and what the platform says of it."""

from typing import Any
from uuid import uuid4

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene, always
from tests.pictures import picture

PNG, CSV, ANY = {"Content-Type": "image/png"}, {"Content-Type": "text/csv"}, {"If-Match": "*"}
FILE = b"reference,product_reference,product_name,price\nF-1,F,Filed,1.00\n"


def catalog(place: Place) -> dict[str, Scene]:
    ask, desk = place.ask, place.desk
    product, sku = place.ids["product_id"][0], place.ids["sku_id"][0]
    at = f"/v1/platform/merchants/{place.store.tenant_id}"

    def category(_: str) -> Given:
        return Given({"category_id": ask("POST", "/v1/categories", {"name": "x"})["id"], "parent_id": None} | ANY)

    def pictured(_: str) -> Given:
        made = desk.ask("POST", f"/v1/products/{product}/images", place.key | PNG, file=picture())["id"]
        return Given({"product_id": product, "image_id": made, "image_ids": [made]})

    def handed_in(_: str) -> Given:
        """An edit of a product that waits."""
        ask("PUT", f"{at}/product-review-rule", {"mode": "after"}, headers=place.admin)
        ask("PATCH", f"/v1/products/{product}", {"description": uuid4().hex}, headers=place.key | ANY)
        waits = ask("GET", f"/v1/products/{product}/reviews?limit=1")["reviews"][0]["id"]
        return Given({"merchant_id": place.store.tenant_id, "review_id": waits})

    def unruled(_: Any) -> None:
        ask("PUT", f"{at}/product-review-rule", {"mode": "off"}, headers=place.admin)

    plain: dict[str, Any] = {"reference": None, "category_id": None, "publish_at": None, "unpublish_at": None, "options": []}
    return {
        "createCategory": Scene(always(parent_id=None)),
        "getCategory": Scene(category),
        "changeCategory": Scene(category),
        "removeCategory": Scene(category, ALWAYS),
        "createProduct": Scene(always(**plain)),
        "changeProduct": Scene(lambda _: Given({"product_id": product, "state": "published", "category": "general"} | plain | ANY)),
        "listProducts": Scene(always(category_id=None)),
        "listShownProducts": Scene(category),
        "getShownProduct": Scene(always(product_id=place.ids["product_id"][-1])),
        "addProductImage": Scene(lambda _: Given({"product_id": product}, picture(), PNG)),
        "orderProductImages": Scene(pictured),
        "removeProductImage": Scene(pictured, ALWAYS),
        "createSku": Scene(always(currency="CNY", code_pattern=None, reference=None, choices={})),
        "changeSku": Scene(
            lambda _: Given({"sku_id": sku, "code_pattern": None, "reference": None, "choices": {}, "state": "published"} | ANY)
        ),
        "editSkus": Scene(always(sku_ids=[sku], category_id=None, state="published")),
        "changeSkus": Scene(always(rows=[{"sku_id": sku, "etag": "*", "price_minor": 5}])),
        "previewCatalog": Scene(lambda _: Given({"encoding": None, "delimiter": None}, FILE, CSV)),
        "importCatalog": Scene(lambda _: Given({"encoding": None, "delimiter": None}, FILE, CSV)),
        "getProductReview": Scene(handed_in),
        "approveProduct": Scene(handed_in, ALWAYS, unruled),
        "refuseProduct": Scene(handed_in, ALWAYS, unruled),
        "setProductReviewRule": Scene(always(merchant_id=place.quiet.tenant_id)),
    }
