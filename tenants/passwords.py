"""Passwords: argon2id, off the event loop, a few at a time.

Parameters are OWASP's minimum for argon2id (Password Storage Cheat Sheet: 19 MiB, t=2, p=1; 23 ms here). A hash made under other
parameters still verifies: they are written in it.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from checkout_core.errors import TooMany

AT_ONCE = 2  # one per core of a small machine: hashing must not starve the shop
WAITING_MAX = 32

T = TypeVar("T")


class Passwords:
    """One per process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        # Compared with when nobody has the mail, so that an unknown mail takes as long as a wrong password.
        self._nobody = self._hasher.hash("a password nobody has")

    async def hash(self, password: str) -> str:
        """Raises `TooMany` when the queue is long."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one `stored` was made from; False, and as slow, when there is none. Raises `TooMany`."""

        def verify() -> bool:
            try:
                return self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify) and stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise TooMany("Too many people are signing in at once. Try again in a moment.", code="busy")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
