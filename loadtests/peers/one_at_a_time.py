"""How fast Redis itself is when each wish is a script call of its own: no HTTP, no Python, calls pipelined 64 deep.

    python -m loadtests.peers.one_at_a_time [--count 200000] [--own]

Debian's redis-benchmark drives it where there is one (package redis-tools), else, or with `--own`, a pipelining client of a few lines here.
REDIS_URL says where. Prints JSON: wishes a second, how many were reserved, and what drove it.
"""

import argparse
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import hiredis
from redis import Redis

from checkout_core.ids import UUID, new_id
from loadtests.peers import stock
from loadtests.peers.stock import SHA, body_of, keys_of

DEPTH: Final = 64
CLIENTS: Final = 8
RANDOM: Final = "__rand_int__"  # redis-benchmark puts twelve random digits here, others at each place
RANDOM_MAX: Final = 2_000_000_000  # it reads an int; of 200,000 shoppers ten meet another by chance
UNITS: Final = 1 << 40
TIMEOUT_S: Final = 120


def address_of(url: str) -> tuple[str, int, str, int]:
    """Host, port, unix socket and database in `redis://host:port/db` or `unix:///path?db=n`."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "", 0, parts.path, int(parse_qs(parts.query).get("db", ["0"])[0])
    return parts.hostname or "localhost", parts.port or 6379, "", int(parts.path.strip("/") or 0)


def by_redis_benchmark(program: str, url: str, sale_id: UUID, count: int) -> float:
    """Wishes a second. Order and shopper are random, 16 bytes each as everywhere."""
    host, port, path, database = address_of(url)
    where = ["-s", path] if path else ["-h", host, "-p", str(port)]
    how = ["-n", str(count), "-P", str(DEPTH), "-c", str(CLIENTS), "-r", str(RANDOM_MAX), "--dbnum", str(database), "--csv"]
    asked = ["EVALSHA", SHA, "3", *keys_of(sale_id), f"ord-{RANDOM}", f"shp-{RANDOM}", "1", "0123456789abcdef01"]
    line = [program, *where, *how, *asked]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    rows = [row for row in csv.reader(io.StringIO(done.stdout)) if len(row) > 1 and row[0] != "test"]
    return float(rows[-1][1])


def by_ourselves(url: str, sale_id: UUID, count: int) -> float:
    """The same with one connection and hiredis: what is sent is made before the clock starts."""
    host, port, path, database = address_of(url)
    names = keys_of(sale_id)
    pack: Callable[[Any], bytes] = hiredis.pack_command
    noise = os.urandom(32 * count)
    calls = []
    for at in range(0, len(noise), 32):
        shopper = noise[at + 16 : at + 32]
        calls.append(pack(("EVALSHA", SHA, 3, *names, noise[at : at + 16], shopper, 1, body_of(shopper, 1))))
    pieces = [b"".join(calls[at : at + DEPTH]) for at in range(0, count, DEPTH)]
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as client:
        client.connect(path or (host, port))
        reader = hiredis.Reader()

        def ask(piece: bytes, replies: int) -> None:
            client.sendall(piece)
            while replies:
                reply = reader.gets()
                if reply is False:  # it needs more bytes
                    reader.feed(client.recv(1 << 16))
                elif isinstance(reply, Exception):
                    raise reply
                else:
                    replies -= 1

        ask(pack(("SELECT", database)), 1)
        began = time.perf_counter()
        for number, piece in enumerate(pieces):
            ask(piece, min(DEPTH, count - number * DEPTH))
        return count / (time.perf_counter() - began)


def run(url: str, count: int, *, own: bool = False) -> dict[str, Any]:
    """Sell to `count` new shoppers; what was sold is looked at afterwards and forgotten."""
    count = -(-count // DEPTH) * DEPTH  # redis-benchmark sends whole pipelines
    redis = Redis.from_url(url)
    sale_id = new_id()
    stock.open_sale(redis, sale_id, UNITS, 1)
    program = None if own else shutil.which("redis-benchmark")
    try:
        before: Any = redis.info("cpu")
        per_s = by_redis_benchmark(program, url, sale_id, count) if program else by_ourselves(url, sale_id, count)
        after: Any = redis.info("cpu")
        left = stock.left(redis, sale_id)
    finally:
        stock.forget(redis, sale_id)
        redis.close()
    cpu_s = sum(float(after[name]) - float(before[name]) for name in ("used_cpu_user", "used_cpu_sys"))
    by = f"redis-benchmark -P {DEPTH} -c {CLIENTS}" if program else f"hiredis, pipelined {DEPTH} deep"
    return {"per_s": per_s, "count": count, "reserved": UNITS - left.avail, "redis_us": cpu_s / count * 1e6, "driven_by": by}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.peers.one_at_a_time", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--own", action="store_true", help="our own client even where there is redis-benchmark")
    args = parser.parse_args()
    print(json.dumps(run(os.environ["REDIS_URL"], args.count, own=args.own)))


if __name__ == "__main__":
    main()
