"""Start the sandbox provider: `python -m loadtests.counterparts.sandbox --port 0 --folder DIR --print-json`.

The first line on standard output says where it listens and what its admin token is. It ends at SIGTERM, and with the process
that started it (Linux: with the thread that did, so start it from a thread that stays).
"""

import argparse
import asyncio
import os
import socket
import traceback
from pathlib import Path

import msgspec
import uvicorn
import uvloop

from loadtests.counterparts.process import Server, die_with_parent
from loadtests.counterparts.sandbox.app import Provider
from loadtests.counterparts.sandbox.asgi import Application
from loadtests.counterparts.sandbox.books import Books
from loadtests.counterparts.sandbox.faults import Switchboard
from loadtests.counterparts.sandbox.signing import Identity
from loadtests.counterparts.sandbox.store import Store
from loadtests.counterparts.sandbox.webhooks import Sender

SWEEP_S = 0.1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.counterparts.sandbox", description="The sandbox payment provider.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--folder", type=Path, required=True, help="keys and books live here; the next start goes on with them")
    parser.add_argument("--public-url", default="", help="what pay_url starts with, when it is not http://host:port")
    parser.add_argument("--time-scale", type=float, default=1.0, help="factor on the webhook schedule and on how long a refund takes")
    parser.add_argument("--print-json", action="store_true", help="the start-up line as JSON, for programs")
    parser.add_argument("--outlive-parent", action="store_true", help="do not end with the process that started it")
    return parser.parse_args()


async def sweep(books: Books, switches: Switchboard) -> None:
    """Close orders and settle refunds when their time comes."""

    def is_abnormal(out_trade_no: str) -> bool:
        return switches.happens("refund_abnormal", switches.of(out_trade_no).refund_abnormal)

    while True:
        await books.store.write(lambda: (books.expire(), books.settle_refunds(is_abnormal)))
        await asyncio.sleep(SWEEP_S)


async def serve(args: argparse.Namespace) -> None:
    args.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity, switches, store = Identity(args.folder), Switchboard(), Store(args.folder)
    sender = Sender(identity, switches, args.time_scale)
    books = sender.books = Books(store, sender.announce, args.time_scale)
    provider = Provider(identity, books, switches)

    listening = socket.create_server((args.host, args.port), backlog=2048)
    listening.setblocking(False)
    address = f"http://{args.host}:{listening.getsockname()[1]}"
    provider.base_url = (args.public_url or address).rstrip("/")
    config = uvicorn.Config(
        Application(provider.handle), http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning",
        server_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=3,
    )  # fmt: skip
    server = Server(config)

    def end_all(task: asyncio.Task[None]) -> None:
        """A provider without its sender or its sweep would be a lie, so it ends with them."""
        if not task.cancelled() and (error := task.exception()):
            traceback.print_exception(error)
            server.should_exit = True

    tasks = [asyncio.create_task(sender.run()), asyncio.create_task(sweep(books, switches))]
    for task in tasks:
        task.add_done_callback(end_all)
    started = {
        "url": address,
        "admin_token": identity.admin_token,
        "pid": os.getpid(),
        "provider_serial": identity.serial,
        "provider_public_key_pem": identity.public_pem,
    }
    print(msgspec.json.encode(started).decode() if args.print_json else f"Sandbox provider at {address}", flush=True)
    try:
        await server.serve(sockets=[listening])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sender.close()
        store.close()


def main() -> None:
    args = arguments()
    if not args.outlive_parent:
        die_with_parent()
    uvloop.run(serve(args))


if __name__ == "__main__":
    main()
