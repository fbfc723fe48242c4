"""Requests made of the OpenAPI document, to a whole shop, by everybody: what it answers is as it says. Also `make fuzz`.

    python -m tests.fuzz.api                                  other requests each time; the seed is told
    python -m tests.fuzz.api --examples 1000 --seed 7         more of them, of a seed
    python -m tests.fuzz.api --only createSale --roles owner  part of them

Exit code 1 when there was an answer of 5xx but a declared 503, one that is not as declared, or none; when a spoilt request was taken; or
when an operation never once answered 2xx, though all roles asked often enough.
"""

import argparse
import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import httpx

from tessera.shop import Shop
from tests.fuzz.api import crew
from tests.fuzz.api.house import House
from tests.fuzz.api.hunt import Round
from tests.fuzz.api.people import ROLES

EXAMPLES = 100
TURNS = 3  # a third of the roles send a request, other ones the next
OFTEN = 20  # examples by which every operation has been answered 2xx
TOLD_MAX = 3  # findings of one operation that are told whole
# Servers of its own, never somebody's data; and nobody is told to wait.
ENVIRON = {
    "DATABASE_URL": "", "REDIS_URL": "", "ARQ_REDIS_URL": "", "TESSERA_ENV": "test", "TESSERA_IP_LIMIT_FACTOR": "100000",
    "TESSERA_WEBHOOK_LOOPBACK": "1", "TESSERA_NAMESERVERS": "127.0.0.1",
}  # fmt: skip
# Operations whose success takes what no hunt can wait for or make.
NEVER = {
    "receivePaymentNotice": "the provider signs it; its own notices are among what pays the orders here",
    "resendInvitation": "a minute has to pass first",
    "rotateKeys": "one runs at a time, for a minute and more",
    "resumeImport": "it takes an import that was cut off",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.api", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="different requests to each operation (%(default)s)")
    parser.add_argument(
        "--turns", type=int, default=TURNS, help="1: each request is sent by all roles; n: by every n-th, in turn (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the requests")
    parser.add_argument("--only", nargs="*", default=[], metavar="OPERATION")
    parser.add_argument("--roles", nargs="*", default=ROLES, choices=ROLES)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="that ask, each in stores of its own (%(default)s)")
    args = parser.parse_args()
    print(f"Seed {args.seed}, {args.examples} examples of {', '.join(args.roles)}", flush=True)
    statuses: Counter[int] = Counter()
    wrong = 0
    rounds = []
    with tempfile.TemporaryDirectory(prefix="tessera-fuzz-api-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        with Shop(folder, apis=args.processes, fsync=False, time_scale=0.01, environ=ENVIRON) as shop:
            begun = time.monotonic()
            document = httpx.get(f"{shop.api_url}/openapi.json", trust_env=False).json()
            names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
            about = (House.of(shop), document, args.seed, args.examples, args.turns)
            with ProcessPoolExecutor(args.processes, multiprocessing.get_context("spawn"), initializer=crew.begin, initargs=about) as pool:
                asked = [pool.submit(crew.ask, name, tuple(args.roles)) for name in names if not args.only or name in args.only]
                for done in as_completed(asked):
                    found = done.result()
                    rounds.append(found)
                    statuses += found.all
                    wrong += len(found.wrong)
                    tell(found, args.seed)
            took_s = time.monotonic() - begun
    never = [] if args.examples < OFTEN or len(args.roles) < len(ROLES) else sorted(each.operation for each in rounds if not each.welcomed)
    for name in never:
        print(f"{name} was never answered 2xx: {NEVER.get(name, 'WRONG')}")
    wrong += len(set(never) - NEVER.keys())
    print(f"{statuses.total()} requests to {len(rounds)} operations in {took_s:.0f} s: {dict(sorted(statuses.items()))}; {wrong} wrong")
    return 1 if wrong else 0


def tell(found: Round, seed: int) -> None:
    welcomed = ", ".join(f"{role} {n}" for role, n in found.welcomed.items())
    print(f"{found.operation:26} {dict(sorted(found.all.items()))}; 2xx: {welcomed or 'nobody'}", flush=True)
    for each in found.wrong[:TOLD_MAX]:
        print(f"WRONG, {each.role}, example {each.example}: {each.what}", flush=True)
    if found.wrong:
        roles = " ".join(sorted({each.role for each in found.wrong}))
        print(
            f"{len(found.wrong)} wrong. Again: python -m tests.fuzz.api --seed {seed} --only {found.operation} --roles {roles}", flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
