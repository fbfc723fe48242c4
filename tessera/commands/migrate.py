"""`tessera migrate`: bring the schema of DATABASE_URL up to date. Safe to run from many places at once."""

import argparse
import asyncio

from checkout_core.config import Settings
from tenants.migrate import migrate


def main(argv: list[str]) -> int:
    argparse.ArgumentParser(prog="tessera migrate", description=__doc__).parse_args(argv)
    done = asyncio.run(migrate(Settings.from_env()))
    print("\n".join(f"ran {name}" for name in done) or "nothing to do")
    return 0
