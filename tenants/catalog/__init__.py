"""The catalogue: categories, products, and under each product the SKUs that have a price and stock of their own."""

from tenants.catalog.options import Option
from tenants.catalog.products import Product, change_product, create_product, get_product, list_products
from tenants.catalog.skus import Sku, change_sku, create_sku, get_sku, list_skus
from tenants.catalog.units import make_units

__all__ = [
    "Option", "Product", "Sku", "change_product", "change_sku", "create_product", "create_sku", "get_product", "get_sku", "list_products",
    "list_skus", "make_units",
]  # fmt: skip
