"""A peer as a process of its own, on 127.0.0.1. Several may share a port, as the shop's processes do."""

import socket
from typing import Any

import uvicorn


def listen(port: int) -> socket.socket:
    """A listening socket whose port others may have too: the kernel deals connections out among them."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(4096)
    return listening


def serve(app: Any, port: int, **settings: Any) -> None:
    """Run an ASGI application until told to stop. `settings` are uvicorn's."""
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    server.run(sockets=[listen(port)])
