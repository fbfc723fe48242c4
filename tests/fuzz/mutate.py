"""Bytes that are almost right: what is valid, damaged by dice."""

from collections.abc import Callable, Sequence
from random import Random

# At these, readers change their minds: the ends of classes of characters, of small integers, of the buffers of others.
BYTES = b'\x00\x01\t\n\x0b\r\x1f !"#+,-./09:;=?@AZ[\\]_az{|}~\x7f\x80\xbf\xc0\xe4\xff'
SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 254, 255, 256, 257, 1023, 1024, 4095, 4096, 8191, 8192, 8193)
TIMES = (1, 1, 1, 1, 2, 2, 3, 5, 8)
MOST = 80 * 1024  # what a gate lets a body grow to, and some


def mutated(dice: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """`data` after one to eight changes. `words` are what the format is written in, and other examples of it to splice in."""
    for _ in range(dice.choice(TIMES)):
        data = dice.choice(_CHANGES)(dice, data, words)[:MOST]
    return data


def a_piece(dice: Random, data: bytes) -> tuple[int, int]:
    """Where a piece of `data` begins and ends; short ones more often."""
    start = dice.randint(0, len(data))
    return start, min(len(data), start + dice.choice((0, 1, 1, 2, 3, 4, 8, 16, 64, 4096)))


def _flip(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return b"\0"
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def _put(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One byte, in between or instead of another."""
    at = dice.randint(0, len(data))
    byte = dice.choice(BYTES) if dice.random() < 0.8 else dice.randrange(256)
    return data[:at] + bytes([byte]) + data[at + dice.randint(0, 1) :]


def _drop(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = a_piece(dice, data)
    return data[:start] + data[end:]


def _cut(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] if dice.random() < 0.8 else data[at:]


def _repeat(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = a_piece(dice, data)
    return data[:end] + data[start:end] * dice.choice((1, 1, 2, 7, 63, 64, 65, 300)) + data[end:]


def _word(dice: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = a_piece(dice, data)
    return data[:start] + dice.choice(words) + data[start if dice.random() < 0.5 else end :]


def _splice(dice: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = dice.choice(words)
    return data[: dice.randint(0, len(data))] + other[dice.randint(0, len(other)) :]


def _grow(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """To a length at which something ends, or by it."""
    at, size = dice.randint(0, len(data)), dice.choice(SIZES)
    fill = bytes([dice.choice(BYTES)])
    return data[:at] + fill * (size if dice.random() < 0.5 else max(0, size - len(data))) + data[at:]


def _swap(dice: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = a_piece(dice, data)
    after = min(len(data), end + end - start)
    return data[:start] + data[end:after] + data[start:end] + data[after:]


_CHANGES: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    _flip, _flip, _put, _put, _put, _drop, _drop, _cut, _repeat, _word, _word, _word, _splice, _grow, _swap,
)  # fmt: skip
