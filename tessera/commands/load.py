"""`tessera load`: a rehearsed sale, by Locust: people look, reload, press, retry, pay; then the checker's verdict and a page.

Without --target a shop of its own is opened on this machine, with one flash sale of a quarter as many units as shoppers. With --target
people come to a store anywhere: be sure you may. Its checker runs when DATABASE_URL and the rest of the store's settings are given.
Exit code 0: nothing was exceeded; 1: something was; 2: it could not be held; 3: it could not be judged, since the generator was too slow.
docs/rehearsing-a-sale.md tells more.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import httpx

from tessera import rehearsal
from tessera.demo import merchant, place
from tessera.keeper import NotReady
from tessera.shop import Shop
from tessera.until import until_signalled

# Thousands of guests come from this one address, which on any other day would be told to wait.
ENVIRON = {"TESSERA_ENV": "demo", "TESSERA_IP_LIMIT_FACTOR": "1000"}
UNITS_SHARE = 4  # shoppers a unit
# A shopper costs 2.3 to 2.9 ms of CPU on the average (the store, its servers and the generator together), and more while there is stock.
# This many a second leave each core more than half of its time: a machine that has none to spare measures its own queues.
RATE_PER_CORE = 100.0
REST_S = 60.0


def main(argv: list[str]) -> int:
    args = arguments(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    code = 130
    with until_signalled():
        try:
            code = far_away(args) if args.target else here(args)
        except (rehearsal.Unplayable, merchant.Failed, NotReady, httpx.HTTPError) as problem:
            print(f"tessera load: {problem}", file=sys.stderr)
            code = 2
    return code


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tessera load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shoppers", type=int, default=20_000, help="who press (%(default)s)")
    rate = RATE_PER_CORE * (os.cpu_count() or 1)
    parser.add_argument("--rate", type=float, default=rate, help="shoppers a second in the spike (100 for each core here: %(default)s)")
    parser.add_argument("--shape", default="sale", choices=tuple(rehearsal.LEADS_S), help="how they come (%(default)s)")
    parser.add_argument("--hands", type=int, default=600, help="people at the store at the same time, each a connection (%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="of Locust (%(default)s); one for each core to spare")
    parser.add_argument("--pay-share", type=float, default=0.1, help="of the buyers who win, those who pay (%(default)s)")
    judged = parser.add_argument_group("what is judged, besides what must never be")
    judged.add_argument(
        "--p99-ms", type=float, default=500.0, help="most of RESERVE and of SOLD-OUT, from when people were due (%(default)s)"
    )
    judged.add_argument("--error-share", type=float, default=0.001, help="most of all requests (%(default)s)")
    judged.add_argument(
        "--lag-ms", type=float, default=50.0, help="most of the generator's own p99, or a slow store is not judged (%(default)s)"
    )
    parser.add_argument("--folder", type=Path, default=Path("build/load"), help="for the report (%(default)s)")
    parser.add_argument("--apis", type=int, default=1, help="API processes of the shop here (%(default)s)")
    far = parser.add_argument_group("elsewhere")
    far.add_argument("--target", metavar="URL", help="http(s)://host[:port] of a store's API")
    far.add_argument("--store", metavar="SLUG")
    far.add_argument("--sale", metavar="ID", help="`sal_…`; it should open at T0 or be open")
    far.add_argument("--t0", type=float, metavar="UNIX", help="when it opens; as soon as can be unless given")
    far.add_argument("--tokens", type=Path, metavar="FILE", help="from `tessera tokens`; made here when the store's settings are given")
    far.add_argument("--provider", default="", metavar="URL", help="its sandbox provider, whose token is in SANDBOX_ADMIN_TOKEN")
    args = parser.parse_args(argv)
    if args.shoppers < UNITS_SHARE or args.rate <= 0 or args.processes < 1:
        parser.error(f"at least {UNITS_SHARE} shoppers, a rate and a process")
    if args.target and not (args.store and args.sale):
        parser.error("--target needs --store and --sale")
    return args


def here(args: argparse.Namespace) -> int:
    """In a shop that is opened for it and leaves nothing."""
    began = time.perf_counter()

    def step(what: str) -> None:
        print(f"{time.perf_counter() - began:6.1f} s  {what}", flush=True)

    with place.fresh(args.folder) as folder:
        try:
            with Shop(folder, apis=args.apis, environ=ENVIRON) as shop:
                step("a shop is up: Postgres, Valkey, provider, API and worker")
                units = args.shoppers // UNITS_SHARE
                stage = rehearsal.open_store(shop, units, args.shape)
                tokens = folder / "tokens"
                rehearsal.make_tokens(stage.environ, stage.store, args.shoppers, tokens)
                step(f"a flash sale of {units:,} units awaits {args.shoppers:,} shoppers")
                rehearsal.people(stage, args.folder, tokens, wishes(args))
                step("all have gone; the checker looks")
                checked = rehearsal.check(stage, args.folder, at_rest_within_s=REST_S)
                code = rehearsal.judge(args.folder, checked, limits(args))
            step("the shop is closed")
        finally:
            place.clear(folder)
    return code


def far_away(args: argparse.Namespace) -> int:
    """At a store that is there already and stays."""
    token = os.environ.get("SANDBOX_ADMIN_TOKEN", "")
    stage = rehearsal.Stage(args.target, args.store, args.sale, args.t0, args.provider, token, os.environ)
    tokens: Path | None = args.tokens
    if tokens is None:
        tokens = args.folder / "tokens"
        try:
            rehearsal.make_tokens(stage.environ, stage.store, args.shoppers, tokens)
        except rehearsal.Unplayable as problem:
            raise rehearsal.Unplayable(f"give --tokens FILE, or the store's settings, to make them here ({problem})") from None
    rehearsal.people(stage, args.folder, tokens, wishes(args))
    # Others may be buying meanwhile: only what always holds is looked into.
    return rehearsal.judge(args.folder, rehearsal.check(stage, args.folder, at_rest_within_s=0.0), limits(args))


def wishes(args: argparse.Namespace) -> dict[str, str]:
    """The options as the load tests take them: from the environment."""
    return {
        "LOAD_SHOPPERS": str(args.shoppers),
        "LOAD_RATE": str(args.rate),
        "LOAD_SHAPE": args.shape,
        "LOAD_HANDS": str(args.hands),
        "LOAD_PARTS": str(args.processes),
        "LOAD_PAY_SHARE": str(args.pay_share),
    }


def limits(args: argparse.Namespace) -> dict[str, str]:
    return {"LOAD_P99_MS": str(args.p99_ms), "LOAD_ERROR_SHARE": str(args.error_share), "LOAD_LAG_MS": str(args.lag_ms)}
