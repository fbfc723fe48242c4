"""Catalogue files: a SKU a line, created or changed by its reference. All lines are checked first, and nothing is half saved."""

from tenants.catalog.imports.lines import LINES_MAX, LineProblem
from tenants.catalog.imports.run import CatalogReport, load, preview

__all__ = ["LINES_MAX", "CatalogReport", "LineProblem", "load", "preview"]
