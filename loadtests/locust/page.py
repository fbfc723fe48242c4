"""The verdict as a page that needs nothing besides itself; Locust's own reports lie next to it."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loadtests.locust.verdict import arrivals, checked
from loadtests.locust.watch import bottleneck

_ENVIRONMENT = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
_ENVIRONMENT.filters |= {"arrivals": arrivals, "checked": checked, "bottleneck": bottleneck}


def page(report: dict[str, Any], locust_pages: list[str]) -> str:
    return _ENVIRONMENT.get_template("page.html").render(report=report, told=report["figures"], locust_pages=locust_pages)
