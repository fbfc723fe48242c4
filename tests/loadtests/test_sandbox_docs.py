"""docs/sandbox-provider.md against the code: no route, option, switch, variant or refusal without a word there."""

import re
from pathlib import Path

from loadtests.counterparts.sandbox import __main__ as start
from loadtests.counterparts.sandbox.faults import Faults
from loadtests.counterparts.sandbox.forgery import VARIANTS
from loadtests.counterparts.sandbox.webhooks import SUMMARY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/sandbox-provider.md").read_text()
SOURCE = "".join(path.read_text() for path in (ROOT / "loadtests/counterparts/sandbox").glob("*.py"))


def test_nothing_is_left_out() -> None:
    routes = re.findall(r'router\.add\("([A-Z]+ [^"]+)"', SOURCE)
    codes = set(re.findall(r'Refusal\(\d+, "([A-Z_]+)"', SOURCE)) - {"NO_AUTH", "ORDER_CLOSED"}
    options = re.findall(r'add_argument\("(--[a-z-]+)"', Path(start.__file__).read_text())
    assert len(routes) > 10
    assert len(options) == 7
    for word in [*routes, *codes, *options, *SUMMARY]:
        assert f"`{word}" in PAGE, word
    for switch in Faults.__struct_fields__:
        assert f"| `{switch}: " in PAGE, switch
    assert all(f"`{variant}`" in PAGE for variant in VARIANTS)
