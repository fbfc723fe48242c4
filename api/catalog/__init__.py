"""HTTP for the catalogue."""

from api.catalog.categories import CategoryController
from api.catalog.images import ProductImageController
from api.catalog.imports import CatalogFileController
from api.catalog.products import ProductController
from api.catalog.sku_lists import SkuListController
from api.catalog.skus import SkuController

route_handlers = [CategoryController, ProductController, ProductImageController, SkuListController, SkuController, CatalogFileController]
