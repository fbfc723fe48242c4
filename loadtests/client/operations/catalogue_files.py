"""Catalogue files. Written by `make client`; not to be edited."""

from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call
from loadtests.client.operations.catalogue import Product, ProductImage
from loadtests.client.operations.prices import LineProblem


class ImageOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All pictures of the product; the first is its face."""

    image_ids: list[str]


class CatalogReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`lines` without the header and blank ones. `wrong` is how many problems there are; the first 100 are told."""

    columns: list[str]
    lines: int
    products_created: int
    products_changed: int
    skus_created: int
    skus_changed: int
    skus_unchanged: int
    wrong: int
    problems: list[LineProblem]


def add_product_image(
    product_id: str,
    file: bytes,
    *,
    filename: str | None = None,
    content_type: Literal["image/png", "image/jpeg", "image/webp"] = "image/png",
) -> Call[ProductImage]:
    """Add a picture: a PNG, JPEG or WebP, which is encoded anew."""
    return Call(
        method="POST",
        path=f"/v1/products/{product_id}/images",
        answers={201: ProductImage},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
    )


def order_product_images(product_id: str, body: ImageOrder) -> Call[Product]:
    """Put a product's pictures in order."""
    return Call(method="PUT", path=f"/v1/products/{product_id}/images/order", answers={200: Product}, body=body)


def remove_product_image(product_id: str, image_id: str) -> Call[None]:
    """Take a picture away."""
    return Call(method="DELETE", path=f"/v1/products/{product_id}/images/{image_id}", answers={204: None})


def import_catalog(
    file: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[CatalogReport]:
    """Create and change products and SKUs from a file, all of it or nothing. The body is the file: CSV or XLSX with a header, a SKU a line.
    A SKU whose reference is not known is created, another is changed; an empty cell says nothing. All lines are checked first. What is
    wrong is told with line and field, and then nothing is saved. Sent again it changes nothing more.
    """
    return Call(
        method="POST",
        path="/v1/catalog/imports",
        answers={200: CatalogReport},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"encoding": encoding, "delimiter": delimiter},
    )


def preview_catalog(
    file: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[CatalogReport]:
    """See what a catalogue file would do, and what is wrong in which lines, keeping nothing. The body is the file: CSV or XLSX with a
    header, a SKU a line. A SKU whose reference is not known is created, another is changed; an empty cell says nothing. All lines are
    checked first.
    """
    return Call(
        method="POST",
        path="/v1/catalog/previews",
        answers={200: CatalogReport},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"encoding": encoding, "delimiter": delimiter},
    )
