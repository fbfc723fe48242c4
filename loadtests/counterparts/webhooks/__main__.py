"""Start the receiver: `python -m loadtests.counterparts.webhooks --port 0`. It says where it listens, and ends with its parent."""

import argparse
import socket

import uvicorn
import uvloop

from loadtests.counterparts.process import Server, die_with_parent
from loadtests.counterparts.webhooks.receiver import Receiver


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.counterparts.webhooks", description="A merchant's server for webhooks.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    args = parser.parse_args()
    die_with_parent()
    listening = socket.create_server((args.host, args.port), backlog=512)
    print(f"http://{args.host}:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        Receiver(), http="httptools", ws="none", lifespan="off", access_log=False, log_level="error", server_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvloop.run(Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
