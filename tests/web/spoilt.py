"""Stores in whose every field stands what `payloads` has, as far as a field can hold it; and what is refused, with the answer."""

import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle, islice
from typing import Any, NamedTuple

import httpx

from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.fuzz.api.house import Desk, Headers, bearer
from tests.web.payloads import PAYLOADS, batches

PASSWORD = "correct horse battery staple"
# The longest text that each field takes: as many batches as the shortest needs are as many stores, and each has one of every field's.
LOOKS = {
    "name": 80, "seo_title": 70, "banner": 200, "contact": 254, "notice": 500, "footer": 500, "seo_description": 300,
    "refund_policy": 10_000, "privacy_policy": 10_000, "terms": 10_000,
}  # fmt: skip
COLORS = ("primary_color", "primary_color_dark", "accent_color", "accent_color_dark")
NAME, LABEL, PICK, NOTE, TEXT = 200, 60, 100, 5_000, 10_000
WORKERS = 4


class Spoilt(NamedTuple):
    """A store by its slug, and the paths of its pages that somebody may look at."""

    slug: str
    key: str
    paths: list[str]


def faces(shop: Shop) -> list[Spoilt]:
    """Stores whose settings hold all payloads, each field those that it has room for."""
    rounds = max(sum(1 for _ in batches(longest)) for longest in LOOKS.values())
    columns = {field: list(islice(cycle(batches(longest)), rounds)) for field, longest in LOOKS.items()}

    def open_store(number: int) -> Spoilt:
        store = opened(shop)
        look = {field: texts[number] for field, texts in columns.items()}
        with closing(Desk(shop.api_url)) as desk:
            desk.ask("PATCH", "/v1/store", bearer(store.key) | {"If-Match": "*"}, look)
        return store._replace(paths=["/", *(["/policies/refund"] if number == 0 else [])])

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(open_store, range(rounds)))


def opened(shop: Shop) -> Spoilt:
    slug = f"x{secrets.token_hex(6)}"
    made = sign_up(shop.api_url, shop.mail_url, store="x", slug=slug, mail=f"{slug}@example.com", password=PASSWORD)
    return Spoilt(slug, made["api_key"], [])


def goods(shop: Shop) -> Spoilt:
    """One store with products, SKUs, categories, sales, numbers to choose from, questions to answer and channels that are named so."""
    store = opened(shop)
    with closing(Desk(shop.api_url)) as desk:
        return store._replace(paths=_fill(desk, bearer(store.key)))


def _fill(desk: Desk, key: Headers) -> list[str]:
    """The paths of the pages that show it."""

    def ask(method: str, path: str, body: Any = None, *, file: bytes | None = None, **headers: str) -> Any:
        return desk.ask(method, path, key | headers, body, file=file)

    paths = ["/"]
    names, labels = list(batches(NAME)), list(batches(LABEL))
    everything = "\n".join(batches(TEXT))
    for number, name in enumerate(names):
        category = ask("POST", "/v1/categories", {"name": name})["id"]
        product = ask("POST", "/v1/products", {"name": name, "description": everything, "category_id": category})["id"]
        ask("PUT", f"/v1/translations/{product}/en", {"name": name, "description": everything})
        sku = {"product_id": product, "name": name, "price_minor": 100, "currency": "CNY", "usage_note": "\n".join(batches(NOTE))}
        plain = ask("POST", "/v1/skus", sku)["id"]
        ask(
            "POST",
            f"/v1/vault/imports?sku_id={plain}",
            file=f"CODE-{number}-1\nCODE-{number}-2\n".encode(),
            **{"Content-Type": "text/plain"},
        )
        sale = ask("POST", "/v1/sales", {"sku_id": plain, "name": name, "units": "all", "limit_per_shopper": 0})["id"]
        ask("PUT", f"/v1/channels/own_{number}", {"name": name[:80]})
        paths += [f"/sales/{sale}", f"/?category={category}"]
    product = ask("POST", "/v1/products", {"name": "to choose"})["id"]
    lines = "\n".join(["code,label", *(f'PICK-{n},"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(batches(PICK)))])
    sku = {"product_id": product, "name": "x", "price_minor": 100, "currency": "CNY"}
    chosen = ask("POST", "/v1/skus", sku | {"type": "chosen"})["id"]
    ask("POST", f"/v1/vault/imports?sku_id={chosen}", file=lines.encode(), **{"Content-Type": "text/csv"})
    paths.append(f"/sales/{ask('PUT', f'/v1/skus/{chosen}/shelf', {'units': 'all'})['id']}")
    for texts in _tens(labels):
        fields = [{"name": f"f{n}", "label": {"zh-CN": text, "en": text}, "hint": text} for n, text in enumerate(texts)]
        ask("POST", "/v1/skus", sku | {"type": "manual", "config": {"fields": fields, "within_h": 48}})
    return paths


def _tens(labels: list[str], most: int = 10) -> Iterator[list[str]]:
    for start in range(0, len(labels), most):
        yield labels[start : start + most]


def refused_colors(shop: Shop, store: Spoilt) -> Mapping[tuple[str, str], httpx.Response]:
    """What each colour was answered for each payload."""
    headers = bearer(store.key) | {"If-Match": "*"}
    with httpx.Client(base_url=shop.api_url, headers=headers, trust_env=False) as api:
        return {(field, text): api.patch("/v1/store", json={field: text}) for field in COLORS for _, text in PAYLOADS}
