"""axe-core over a page: what people who cannot see it, or not well, or use no mouse, would stumble over."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page as Tab

from tests.house.sources import ROOT

# The console's own development tools bring it.
SCRIPT = ROOT / "admin_ui" / "node_modules" / "axe-core" / "axe.min.js"
HEAVY = ("serious", "critical")
# Asked from outside: the page's policy stays as it is, and no script element is added.
RUN = """async only => (await axe.run(document, {resultTypes: ["violations"], ...(only && {runOnly: only})})).violations.map(found => ({
    rule: found.id, impact: found.impact, at: found.nodes.slice(0, 5).map(node => node.target.join(" ") + ": " + node.failureSummary),
}))"""


def script() -> Path | None:
    return SCRIPT if SCRIPT.exists() else None


def findings(tab: Tab, only: list[str] | None = None) -> list[dict[str, Any]]:
    """What is serious or critical, by all rules or `only` these."""
    tab.evaluate(SCRIPT.read_text())
    found: list[dict[str, Any]] = tab.evaluate(RUN, only)
    return [each for each in found if each["impact"] in HEAVY]
