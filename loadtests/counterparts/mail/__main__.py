"""Start the mail catcher: `python -m loadtests.counterparts.mail --port 0 --smtp-port 0 --print-json`.

The first line on standard output says where it listens. What it took is in memory: it ends with the process.
"""

import argparse
import asyncio
import os
import socket

import msgspec
import uvicorn
import uvloop

from loadtests.counterparts.mail.app import Catcher
from loadtests.counterparts.mail.box import Box
from loadtests.counterparts.process import Server, die_with_parent
from loadtests.counterparts.sandbox.asgi import Application


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.counterparts.mail", description="The mail catcher.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of its HTTP door; 0 takes any free port")
    parser.add_argument("--smtp-port", type=int, default=0, help="where mails are handed in; 0 takes any free port")
    parser.add_argument("--print-json", action="store_true", help="the start-up line as JSON, for programs")
    parser.add_argument("--outlive-parent", action="store_true", help="do not end with the process that started it")
    return parser.parse_args()


async def serve(args: argparse.Namespace) -> None:
    box = Box()
    smtp = await asyncio.get_running_loop().create_server(box.server, args.host, args.smtp_port)
    listening = socket.create_server((args.host, args.port))
    listening.setblocking(False)
    started = {
        "url": f"http://{args.host}:{listening.getsockname()[1]}",
        "smtp_url": f"smtp://{args.host}:{smtp.sockets[0].getsockname()[1]}",
        "pid": os.getpid(),
    }
    print(msgspec.json.encode(started).decode() if args.print_json else f"Mail catcher at {started['url']}", flush=True)
    config = uvicorn.Config(
        Application(Catcher(box).handle), http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning",
        server_header=False, timeout_graceful_shutdown=3,
    )  # fmt: skip
    async with smtp:
        await Server(config).serve(sockets=[listening])


def main() -> None:
    args = arguments()
    if not args.outlive_parent:
        die_with_parent()
    uvloop.run(serve(args))


if __name__ == "__main__":
    main()
