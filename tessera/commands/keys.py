"""`tessera keys status` and `tessera keys rotate-master`: which master keys wrap data keys, and wrapping them all by the one listed last.

The shop goes on selling. Killed, it is run again. When the status names one master key only, the others can be taken from
TESSERA_MASTER_KEYS: docs/keys.md has the whole order of steps.
"""

import argparse
import asyncio
import sys
from collections import Counter

from checkout_core.config import Settings
from checkout_core.errors import AppError
from tenants.db import create_pool, dsn_for
from tenants.keys import Masters
from tenants.rotations.masters import rewrap, usage


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera keys", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=["status", "rotate-master"])
    args = parser.parse_args(argv)
    try:
        settings = Settings.from_env()
        masters = Masters(settings.secret, settings.master_keys)
        done, found = asyncio.run(_run(settings, masters, rotate=args.act == "rotate-master"))
    except (ValueError, AppError) as error:
        print(f"tessera keys: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    if args.act == "rotate-master":
        print(f"{done} data keys wrapped anew.")
    for master_id in sorted({*found, masters.current}):
        print(f"master key {master_id} wraps {found[master_id]} data keys{', and new ones' if master_id == masters.current else ''}")
    return 0


async def _run(settings: Settings, masters: Masters, *, rotate: bool) -> tuple[int, Counter[int]]:
    pool = await create_pool(dsn_for(settings, "tessera_platform"), size=1, name="tessera-keys")
    async with pool:
        done = await rewrap(pool, masters) if rotate else 0
        return done, await usage(pool)
