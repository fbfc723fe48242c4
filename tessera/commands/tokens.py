"""`tessera tokens --store SLUG --count N`: guests' tokens in bulk, one a line, for load tests and for shops that bring their own sign-in.

Signed with the secret here, without asking the API: no limit per address applies.
"""

import argparse
import asyncio
import sys

from api.process import Keys
from checkout_core import tokens
from checkout_core.config import Settings
from tenants import hosts
from tenants.db import create_pool, dsn_for


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera tokens", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="SLUG")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="how many (%(default)s)")
    args = parser.parse_args(argv)
    try:
        settings = Settings.from_env()
    except ValueError as error:
        print(f"tessera tokens: {error}", file=sys.stderr)
        return 2
    found = asyncio.run(find(settings, args.store))
    if found is None:
        print(f"tessera tokens: there is no store {args.store!r}", file=sys.stderr)
        return 1
    key = Keys.of(settings.secret).shoppers
    for _ in range(args.count):
        print(tokens.issue(key, found.tenant_id)[0])
    return 0


async def find(settings: Settings, slug: str) -> hosts.Home | None:
    pool = await create_pool(dsn_for(settings, "tessera_platform"), size=1, name="tessera-tokens")
    try:
        return await hosts.by_slug(pool, slug, settings.base_domain)
    finally:
        await pool.close()
