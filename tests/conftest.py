"""What every test may ask for, in layers: servers, then what is built on them."""

import pytest

from tests.plans import young
from tests.servers import servers
from tests.shop import acme, app, client, declared, globex, process, settings

__all__ = ["acme", "app", "client", "declared", "globex", "process", "servers", "settings", "young"]

# A file is played by one worker. Those that take longest begin first, so that none is left for the end while the other worker is idle.
LONGEST = (
    "tests/drills/test_drills.py", "tests/security/test_isolation_matrix.py", "tests/simulation/test_simulation.py",
    "tests/tenants/invariants/test_breaks.py", "tests/e2e/test_storefront.py", "tests/e2e/test_axe.py", "tests/e2e/test_payloads.py",
    "tests/security/test_odd_text.py", "tests/loadtests/test_rehearsal.py", "tests/loadtests/test_peers.py",
    "tests/drills/test_courses.py", "tests/fuzz/test_api.py", "tests/tenants/invariants/test_other_sides.py",
    "tests/tenants/vault/test_imports.py", "tests/tenants/invariants/test_tenancy_breaks.py", "tests/tessera/test_embedded.py",
    "tests/api/test_soldout.py", "tests/checkout_core/test_failover.py", "tests/bench/test_api_bench.py",
    "tests/tessera/test_demo_run.py", "tests/tessera/test_shop.py", "tests/security/test_audited.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))
