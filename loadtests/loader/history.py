"""What each client was told, as JSON lines: the checker holds the store to it."""

import time
from typing import BinaryIO

import msgspec


class Told(msgspec.Struct, gc=False):
    """An answer that decides, with the order it decides. `at` is unix time in seconds."""

    order_id: str
    told: str
    sale_id: str
    quantity: int
    shopper: str
    key: str
    at: float
    latency_ms: float


class Became(msgspec.Struct, gc=False):
    """What its buyer saw an order become."""

    order_id: str
    told: str
    at: float


_encode = msgspec.json.Encoder().encode


class History:
    """`out` gathers lines and writes many at a time: an operating system's call for each would cost more than all the rest of it."""

    def __init__(self, out: BinaryIO) -> None:
        self._write = out.write

    def told(self, order_id: str, told: str, sale_id: str, quantity: int, shopper: str, key: str, latency_s: float) -> None:
        at, latency_ms = round(time.time(), 4), round(latency_s * 1000, 3)
        self._write(_encode(Told(order_id, told, sale_id, quantity, shopper, f"{shopper} {key}", at, latency_ms)) + b"\n")

    def became(self, order_id: str, told: str) -> None:
        self._write(_encode(Became(order_id, told, round(time.time(), 4))) + b"\n")
