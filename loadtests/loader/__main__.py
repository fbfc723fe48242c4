"""Press on a store or any HTTP server and report what came back.

    python -m loadtests.loader raw  --port 8000 --requests FILE|- --closed 64 --seconds 5
    python -m loadtests.loader arrive --port 8000 --store cards --count 3000 --out FILE --closed 16
    python -m loadtests.loader shop --port 8000 --store cards --sale sal_… --shoppers FILE --closed 256 --history h.jsonl

`arrive` makes guests: it asks the store for a token each and writes them to a file.
`raw` sends requests from a file, one JSON object a line: {"method", "path", "headers"?, "body"?}.
`shop` sends shoppers who press buy, and with `--pay-at` lets the winners pay and look at their codes.
The report is JSON on standard output, or in the file named by --report.
"""

import argparse
import asyncio
import gc
import itertools
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, TextIO

import uvloop

from loadtests.loader import cpu
from loadtests.loader.arrivals import Door, arrival
from loadtests.loader.clients import R, Tell
from loadtests.loader.history import History
from loadtests.loader.http import NO_BODY, Answer, Pool, Target, request
from loadtests.loader.loops import closed_loop, open_loop
from loadtests.loader.payers import Payers
from loadtests.loader.report import Tally, cpu_us
from loadtests.loader.shoppers import Habits, Rush, insist, plan, read_shoppers

ROUNDS = 8  # of asking again what was left undecided
PAUSE_MAX_S = 2.0
HISTORY_BUFFER_BYTES = 1 << 20  # some four thousand lines


class Raw(NamedTuple):
    raw: bytes


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.loader", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    raw = commands.add_parser("raw", help="requests from a file")
    raw.add_argument("--requests", required=True, help="JSON lines, - for standard input; repeated until --count")
    arrive = commands.add_parser("arrive", help="guests who ask for a token")
    arrive.add_argument("--store", required=True, help="the store's slug")
    arrive.add_argument("--out", required=True, type=Path, help="their tokens, a JSON line each, readable by the owner only")
    shop = commands.add_parser("shop", help="shoppers who press buy")
    shop.add_argument("--store", required=True, help="the store's slug")
    shop.add_argument("--sale", required=True)
    shop.add_argument("--shoppers", required=True, type=Path, help="their tokens, one a line")
    shop.add_argument("--limit", type=int, default=0, help="units a shopper may have, to hold the answers against; 0: no limit")
    shop.add_argument("--stock", type=int, default=0, help="units of the sale: what is said once all are reserved is reported apart")
    shop.add_argument("--insist", type=int, default=0, metavar="N", help="who won nothing presses again, until N presses in all")
    shop.add_argument("--repeat", type=float, default=0.1, help="share who press again with the same key (%(default)s)")
    shop.add_argument("--twice", type=float, default=0.05, help="share who press again with another key (%(default)s)")
    shop.add_argument("--pair", type=float, default=0.0, help="share who ask for two (%(default)s)")
    shop.add_argument("--seed", type=int, default=0, help="of the shoppers' habits")
    shop.add_argument("--history", type=Path, help="append here, a JSON line each, what each client was told")
    shop.add_argument("--pay-at", help="the sandbox provider's address: winners pay; its admin token is in SANDBOX_ADMIN_TOKEN")
    shop.add_argument("--payers", type=int, default=32, help="winners who pay at the same time (%(default)s)")
    shop.add_argument("--pay-first", type=int, metavar="N", help="only so many winners pay; all unless given")
    for each in (raw, arrive, shop):
        where = each.add_mutually_exclusive_group(required=True)
        where.add_argument("--port", type=int, help="on this machine")
        where.add_argument("--target", help="http://host:port, anywhere: be sure you may")
        how = each.add_mutually_exclusive_group(required=True)
        how.add_argument("--closed", type=int, metavar="CONNECTIONS", help="as fast as answers come")
        how.add_argument("--open", type=float, metavar="PER_S", help="a fixed rate of arrivals, whatever the answers do")
        each.add_argument("--greet", metavar="PATH", help="each client of the closed loop first gets this, uncounted, then all start")
        each.add_argument("--connections", type=int, default=512, help="of the open loop, at most (%(default)s)")
        each.add_argument("--count", type=int, default=1_000_000, help="requests at most (%(default)s)")
        each.add_argument("--seconds", type=float, default=60.0, help="at most (%(default)s)")
        each.add_argument("--timeout", type=float, default=10.0, help="seconds to wait for one answer (%(default)s)")
        each.add_argument("--pid", action="append", default=[], metavar="NAME=PID", help="whose CPU time to report; may be repeated")
        each.add_argument("--report", type=Path, help="write the JSON here")
    return parser.parse_args(argv)


def target_of(args: argparse.Namespace) -> Target:
    target = Target.parse(args.target or f"http://127.0.0.1:{args.port}")
    pay_at = getattr(args, "pay_at", None)
    if pay_at and args.target is None and not Target.parse(pay_at).is_loopback:
        raise ValueError(f"{pay_at} is not on this machine; name the --target too if you mean it")
    return target


def pids_of(args: argparse.Namespace) -> dict[str, list[int]]:
    """By name; several processes may share one. Raises ValueError."""
    pids = {"loader": [os.getpid()]}
    for each in args.pid:
        name, _, pid = each.partition("=")
        pids.setdefault(name, []).append(int(pid))
    return pids


async def press(
    args: argparse.Namespace, target: Target, requests: Iterable[R], tell: Tell[R], when_ready: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Run the loop that was asked for. Returns what to say about it."""
    some = itertools.islice(requests, args.count)
    if args.closed:
        greeting = request(target, "GET", args.greet) if args.greet else None
        closed = {"connections": args.closed, "seconds": args.seconds, "timeout_s": args.timeout}
        await closed_loop(target, some, tell, **closed, greeting=greeting, when_ready=when_ready)
        return {"loop": "closed", "connections": args.closed}
    late_s = await open_loop(target, some, tell, rate=args.open, connections=args.connections, seconds=args.seconds, timeout_s=args.timeout)
    return {"loop": "open", "rate_per_s": args.open, "connections": args.connections, "loader_late_ms_max": round(late_s * 1000, 3)}


def read_requests(target: Target, args: argparse.Namespace) -> list[Raw]:
    """Raises ValueError when there are none, or one cannot be sent."""

    def made() -> Iterator[Raw]:
        for line in filter(str.strip, lines):
            each = json.loads(line)
            yield Raw(request(target, each.get("method", "GET"), each["path"], each.get("headers"), each.get("body", NO_BODY)))

    with nullcontext(sys.stdin) if args.requests == "-" else open(args.requests, encoding="utf-8") as lines:
        requests = list(itertools.islice(made(), args.count))
    if not requests:
        raise ValueError("there are no requests")
    return requests


async def raw_run(args: argparse.Namespace) -> dict[str, Any]:
    target, pids = target_of(args), pids_of(args)
    requests = read_requests(target, args)
    before, tally = cpu.seconds_of(pids), Tally()

    def tell(_: Raw, answer: Answer, latency_s: float, at: float) -> None:
        tally.add(answer, latency_s, at, answer.code or answer.failure or str(answer.status))

    def start() -> None:
        nonlocal before
        before, tally.began = cpu.seconds_of(pids), perf_counter()

    how = await press(args, target, itertools.cycle(requests), tell, start)
    used = cpu.used(before, cpu.seconds_of(pids))
    return how | tally.as_json() | {"cpu_s": used, "cpu_us": cpu_us(used, tally.answers)}


async def arrive_run(args: argparse.Namespace, out: TextIO) -> dict[str, Any]:
    target, door = target_of(args), Door(out)
    how = await press(args, target, itertools.repeat(arrival(target, args.store)), door.tell)
    return how | door.tally.as_json() | {"shoppers": door.came}


async def shop_run(args: argparse.Namespace, history: History | None) -> dict[str, Any]:
    target, pids = target_of(args), pids_of(args)
    shoppers = list(read_shoppers(args.shoppers.read_text(encoding="utf-8").splitlines()))
    habits = Habits(args.repeat, args.twice, args.pair)
    presses = plan(target, args.store, args.sale, shoppers, habits, random.Random(args.seed))
    rush = Rush(args.sale, history, args.limit, args.stock, pids)
    gc.collect()
    gc.disable()  # a press leaves no cycles behind, and what is remembered of it stays until the end: there is nothing to look for
    how = await press(args, target, insist(presses, rush.winners, max(args.insist, len(presses))), rush.tell, rush.start)
    used = cpu.used(rush.cpu_began, cpu.seconds_of(pids))
    answers = rush.tally.answers + (rush.tail.answers if rush.tail else 0)
    pressed = rush.tally.as_json() | {"cpu_s": used, "cpu_us": cpu_us(used, answers)}
    reserve = rush.reserve()
    tail = rush.tail_as_json(used)
    rounds = await ask_again(args, target, rush)
    report = how | {"shoppers": len(shoppers), "presses": len(presses), "reserve": reserve, "rush": pressed}
    report |= {"tail": tail, "rounds_again": rounds}
    report |= {"orders": len(rush.won), "units": rush.units, "undecided": len(rush.undecided), "violations": rush.violations}
    if args.pay_at:
        before = cpu.seconds_of(pids)
        payers = await pay(args, target, rush, history)
        used = cpu.used(before, cpu.seconds_of(pids))
        report |= {"pay": payers.as_json() | {"cpu_us": cpu_us(used, payers.paid)}, "violations": rush.violations + payers.violations}
    return report


async def ask_again(args: argparse.Namespace, target: Target, rush: Rush) -> int:
    """Whoever got no answer that decides presses the same key again, at most `ROUNDS` times. Returns the rounds it took."""
    for done in range(ROUNDS):
        again, rush.undecided = rush.undecided, []
        if not again:
            return done
        await asyncio.sleep(min(max(0.2, rush.retry_after_s), PAUSE_MAX_S))
        rush.retry_after_s = 0.0
        await closed_loop(target, again, rush.tell, connections=32, timeout_s=args.timeout)
    return ROUNDS


async def pay(args: argparse.Namespace, target: Target, rush: Rush, history: History | None) -> Payers:
    store = Pool(target, args.payers, args.timeout)
    provider = Pool(Target.parse(args.pay_at), min(args.payers, 16), args.timeout)
    payers = Payers(store, provider, os.environ.get("SANDBOX_ADMIN_TOKEN", ""), args.store, history=history)
    try:
        await payers.settle(itertools.islice(rush.won.values(), args.pay_first), at_once=args.payers)
    finally:
        store.close()
        provider.close()
    return payers


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Raises ValueError and OSError for what cannot be run."""
    if args.command == "raw":
        return uvloop.run(raw_run(args))
    if args.command == "arrive":
        with open(os.open(args.out, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
            return uvloop.run(arrive_run(args, out))
    with open(args.history, "ab", buffering=HISTORY_BUFFER_BYTES) if args.history else nullcontext() as history:
        return uvloop.run(shop_run(args, History(history) if history else None))


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    began = perf_counter()
    try:
        report = run(args)
    except (ValueError, OSError) as problem:
        print(f"loader: {problem}", file=sys.stderr)
        return 2
    report["took_s"] = round(perf_counter() - began, 3)
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    if args.report:
        args.report.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 1 if report.get("violations") else 0


if __name__ == "__main__":
    sys.exit(main())
