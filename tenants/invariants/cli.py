"""`tessera check`: prove the invariants on the live store. Exit code 0: nothing violated; 1: violated; 2: could not check."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence

from checkout_core.config import Settings
from tenants.db import CONNECTION_LOST
from tenants.invariants import run
from tenants.invariants.history import BadHistory
from tenants.invariants.look import Options
from tenants.invariants.report import as_text


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        settings = Settings.from_env()
        options = Options(
            at_rest=args.at_rest or args.wait > 0,
            wait_s=args.wait,
            sample=args.sample,
            history=args.history,
            provider_url=args.provider or settings.provider_url,
            provider_token=args.provider_token or os.environ.get("SANDBOX_ADMIN_TOKEN", ""),
        )
        report = asyncio.run(run.check(settings, options))
    except (ValueError, BadHistory, *CONNECTION_LOST) as error:
        print(f"tessera check: could not check: {error or type(error).__name__}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if args.json else as_text(report, verbose=args.verbose))
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera check", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report for programs")
    parser.add_argument("--verbose", action="store_true", help="show every claim, also those that hold, with its cost")
    parser.add_argument("--at-rest", action="store_true", help="also what only has to hold when traffic has stopped")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="first wait for the store to rest; implies --at-rest")
    parser.add_argument("--sample", type=_sample, default=Options().sample, metavar="N", help="codes opened a tenant, or all (%(default)s)")
    parser.add_argument("--history", default="", metavar="FILE", help="what clients were told, as JSON lines")
    parser.add_argument("--provider", default="", metavar="URL", help="the sandbox provider (default: TESSERA_PROVIDER_URL)")
    parser.add_argument("--provider-token", default="", metavar="TOKEN", help="its admin token (default: SANDBOX_ADMIN_TOKEN)")
    return parser


def _sample(text: str) -> int | None:
    if text == "all":
        return None
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
