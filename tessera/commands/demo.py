"""`tessera demo`: a store with real codes, thousands of shoppers, payments, delivery, and the checker's verdict on it all.

Everything runs on this machine, on free ports, in a folder of its own below --folder; the data of an earlier demonstration is
removed. The figures go to `report.json` there; while the store serves, `demo.json` says where it is and who may enter.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from checkout_core import ids
from checkout_core.config import Settings
from tenants.invariants.look import Options
from tenants.invariants.report import Report, as_text
from tenants.invariants.run import check_now
from tessera.demo import faces, figures, flash, merchant, place, rush, shelf, words
from tessera.demo.merchant import FLASH, GOODS, RUSH, Store
from tessera.keeper import NotReady
from tessera.published import for_shells, publish, withdraw
from tessera.shop import Shop
from tessera.until import until_signalled

UNITS = 500
LIMIT = 2
APIS = 2  # processes: one would keep a single core busy while a sold-out crowd presses
FLASH_MOST = 36_000
REST_S = 60.0
# Thousands of guests come from this one address, which on any other day would be told to wait.
ENVIRON = {"TESSERA_ENV": "demo", "TESSERA_IP_LIMIT_FACTOR": "1000"}


class Told(NamedTuple):
    """What came out: figures for scripts, and all that is not as it must be."""

    report: dict[str, Any]
    text: str
    shortcomings: list[str]


class Steps:
    """Says what happens as it happens, with the seconds since the beginning."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def __call__(self, what: str) -> None:
        print(f"{self.seconds:6.1f} s  {what}", flush=True)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


def main(argv: list[str]) -> int:
    """0 when every figure is as it must be and nothing is violated; 1 when not; 130 when interrupted before the report."""
    args = arguments(argv)
    code = 130
    with until_signalled() as wait, place.fresh(args.folder) as folder:
        step = Steps()
        try:
            with Shop(folder, apis=APIS, port=args.port, environ=ENVIRON) as shop:
                step("Postgres, Valkey, provider, mail catcher, API and worker are up")
                store = open_store(shop, args, step)
                told = sell(shop, store, folder / "crowd", args, step)
                text = json.dumps(told.report, ensure_ascii=False, indent=1) + "\n"
                publish(args.folder / "report.json", text)
                print(told.text)
                for each in told.shortcomings:
                    print(f"NOT AS IT MUST BE: {each}", flush=True)
                code = 1 if told.shortcomings else 0
                if not args.exit:
                    serve(shop, store, args.folder / "demo.json", wait)
        except (NotReady, merchant.Failed, rush.LoaderFailed, httpx.HTTPError) as problem:
            print(f"tessera demo: {problem}\nThe logs are in {folder / 'logs'} until the next demonstration.", file=sys.stderr)
            code = 1
        finally:
            if code == 0:  # else the logs and the data may be of use
                place.clear(folder)
    return code


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tessera demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit", action="store_true", help="stop after the report; the exit code says whether all is as it must be")
    parser.add_argument("--shoppers", type=int, default=3000, help=f"who press for the {UNITS} units (%(default)s)")
    parser.add_argument("--tail", type=int, default=2000, help="who come when all is sold (%(default)s)")
    parser.add_argument(
        "--flash-shoppers", type=int, default=flash.SHOPPERS, help="at the flash sale, four for each of its units (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, help="of the store; a free one unless given")
    parser.add_argument("--folder", type=Path, default=Path(".tessera"), help="for reports, data and logs (%(default)s)")
    args = parser.parse_args(argv)
    if args.shoppers < 2 * UNITS or args.tail < 1:
        parser.error(f"at least {2 * UNITS} shoppers and a tail of one: else nothing sells out")
    if not flash.SHOPPERS_A_UNIT <= args.flash_shoppers <= FLASH_MOST:
        parser.error(f"{flash.SHOPPERS_A_UNIT} to {FLASH_MOST} shoppers at the flash sale: there are not more codes")
    return args


def open_store(shop: Shop, args: argparse.Namespace, step: Callable[[str], None]) -> Store:
    """The merchant's part. Raises `merchant.Failed`."""
    owner = merchant.Merchant(shop.api_url, shop.mail_url, shop.provider_url, shop.provider.admin_token)
    try:
        store = owner.open_store(limit=LIMIT)
        step(f"{store.owner.mail} signed up the store {store.slug!r} and connected the sandbox provider")
        for goods in GOODS:
            few, many = (UNITS, flash.units_of(args.flash_shoppers)) if goods is GOODS[0] else (0, 0)
            owner.stock(store, goods, rush_units=few, flash_units=many)
            step(f"imported {goods.file}: {store.imports[goods.file]['loaded']:,} codes on sale")
    finally:
        owner.close()
    return store


def sell(shop: Shop, store: Store, folder: Path, args: argparse.Namespace, step: Steps) -> Told:
    """The shoppers' part, then the checker's, then the count."""
    crowd = rush.Crowd(shop, store, folder)
    guests = crowd.arrive("rush", args.shoppers)["shoppers"]
    late = crowd.arrive("tail", args.tail)["shoppers"]
    step(f"{guests + late:,} guests have come")
    sold = crowd.rush("rush")
    pay = sold["pay"]
    delivered = pay["orders"].get("delivered", 0)
    step(f"{sold['units']:,} units reserved by {sold['orders']:,} orders; {pay['paid']:,} paid, {delivered:,} delivered")
    for problem, times in pay["failures"].items():
        step(f"  {times} × {problem}")
    tail = crowd.tail("tail")
    step(f"{late:,} more were told it is sold out, twice")
    settings = Settings.from_env(shop.environ)
    wave = sell_at_once(shop, store, crowd, settings, args, step)
    shelved = sell_the_shelf(shop, store, step)
    checked = check(shop, settings, crowd.history)
    step(f"the checker has looked: {checked.status}")
    books = asyncio.run(figures.read_books(settings.database_url, ids.decode("sal", store.sales[RUSH])))
    flash_books = asyncio.run(figures.read_books(settings.database_url, ids.decode("sal", store.sales[FLASH])))
    report = figures.assemble(books, sold, tail, checked.summary(), store.imports)
    report["flash"] = flash.assemble(flash_books, wave)
    report["shelf"] = shelved
    report["faces"] = faces.look(shop.api_url, store)
    short = figures.shortcomings(report, books, sold, tail, merchant.expected_imports(), UNITS)
    short += flash.shortcomings(report["flash"], flash_books, wave, args.flash_shoppers)
    short += shelf.shortcomings(shelved) + faces.shortcomings(report["faces"])
    text = words.report_text(report, sold, step.seconds)
    if checked.exit_code:
        short += [f"the checker: {failure}" for failure in checked.failures]
        text = f"{as_text(checked)}\n{text}"
    return Told(report, text, short)


def sell_at_once(shop: Shop, store: Store, crowd: rush.Crowd, settings: Settings, args: argparse.Namespace, step: Steps) -> dict[str, Any]:
    """The flash sale. Raises `merchant.Failed` when its gate does not open."""
    guests = flash.make_guests(settings, ids.decode("ten", store.tenant_id), args.flash_shoppers, crowd.tokens("flash"))
    flash.until_open(shop.api_url, store.slug, store.sales[FLASH], guests[0])
    step(f"{len(guests):,} more wait for the flash sale of {flash.units_of(len(guests)):,} units")
    wave = crowd.flash("flash", len(guests))
    after = flash.requests(wave["tail"] or {})
    step(f"{wave['units']:,} units reserved, {after:,} presses when they were gone; {wave['pay']['paid']:,} winners paid")
    for problem, times in wave["pay"]["failures"].items():
        step(f"  {times} × {problem}")
    return wave


def sell_the_shelf(shop: Shop, store: Store, step: Steps) -> dict[str, Any]:
    """One product of each type: when the crowd has gone, so that its figures are its own. Raises `merchant.Failed`."""
    visit = shelf.Visit(shop.api_url, store, shop.provider_url, shop.provider.admin_token)
    try:
        shelved = shelf.sell(visit, shelf.goods(dt.datetime.now(dt.UTC)))
    finally:
        visit.close()
    step(f"one product of each of {len(shelved['types'])} types put on the shelf, bought and delivered, in {shelved['seconds']} s")
    return shelved


def check(shop: Shop, settings: Settings, history: Path) -> Report:
    """Wait until everything under way has ended, then prove the invariants, with what clients were told and the provider's books."""
    url, token = shop.provider_url, shop.provider.admin_token
    return check_now(settings, Options(at_rest=True, wait_s=REST_S, history=str(history), provider_url=url, provider_token=token))


def serve(shop: Shop, store: Store, file: Path, wait: Callable[[], None]) -> None:
    """Keep the store open until Ctrl-C or SIGTERM; `file` says where it is while it is."""
    demo = {
        "api": shop.api_url,
        "store_host": store.host,
        "console": f"{shop.api_url}/console/",
        "api_key": store.api_key,
        "owner": msgspec.to_builtins(store.owner),
        "sales": store.sales,
        "provider": shop.provider_url,
        "mail": shop.mail_url,
    }
    text = json.dumps(demo, ensure_ascii=False, indent=1) + "\n"
    publish(file, text, mode=0o600)
    try:
        with for_shells(shop, file.parent) as line:
            print(words.addresses(demo, port=shop.port, files=str(file.parent.absolute()), shell=line), flush=True)
            wait()
    finally:
        withdraw(file, text)
