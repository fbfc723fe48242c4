"""One API process: `main(argv)`. Several may share a port (SO_REUSEPORT): the kernel deals connections out among them."""

import argparse
import ctypes
import logging
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn
from litestar import Litestar

from api.app import create_app
from api.gate import gate_of
from checkout_core.config import Settings

PR_SET_PDEATHSIG = 1
GRACE_S = 15  # for requests under way when told to stop


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one, which is printed (%(default)s)")
    parser.add_argument("--fd", type=int, help="a listening socket inherited from the parent, instead of --host and --port")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this parent does")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    if args.parent is not None:
        end_with(args.parent)
    try:
        settings = Settings.from_env()
    except ValueError as error:
        print(f"tessera api: {error}", file=sys.stderr)
        return 2
    listening = socket.socket(fileno=args.fd) if args.fd is not None else listen(args.host, args.port)
    print(f"listening on {listening.getsockname()}", flush=True)
    app = create_app(settings)
    server = _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=gate_of(app, https=settings.public_url.startswith("https:")),
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            # X-Forwarded-For and -Proto are read only from these; from anybody else they are hearsay.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_S,
        )
    )

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    # uvicorn handles these itself while it runs, and afterwards raises once more what it got: this exit is in order, code 0.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    server.run(sockets=[listening])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Tells those who watch to come again elsewhere: it would wait for them until its grace is over."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if process := getattr(self.app.state, "process", None):
            process.hub.stopping = True

    @property
    def app(self) -> Litestar:
        app = self.config.app
        assert isinstance(app, Litestar)
        return app


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.bind((host, port))
    listening.listen(4096)
    return listening


def end_with(parent: int) -> None:
    """Be told to stop (SIGTERM) when `parent` ends, however it ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("the parent ended before its child began")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
