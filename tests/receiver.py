"""A merchant's server for webhooks, as a process for tests, and the hooks on it."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest


class Hook:
    """One address at the receiver: what it is told to do, and what it received."""

    def __init__(self, base: str) -> None:
        self.name = uuid4().hex
        self.url = f"{base}/hooks/{self.name}"
        self._admin = f"{base}/admin/hooks/{self.name}"
        self.secrets: list[str] = []

    def does(self, behaviour: str, *secrets: str, **more: Any) -> None:
        """Secrets stay, unless others are given."""
        self.secrets = list(secrets) or self.secrets
        command = {"secrets": self.secrets, "behaviour": behaviour, **more}
        httpx.put(self._admin, json=command, trust_env=False).raise_for_status()

    def book(self) -> list[dict[str, Any]]:
        """What came, in order."""
        found: list[dict[str, Any]] = httpx.get(self._admin, trust_env=False).json()
        return found

    def types(self) -> list[str]:
        return [received["type"] for received in self.book()]


class Receiver:
    def __init__(self) -> None:
        command = [sys.executable, "-m", "loadtests.counterparts.webhooks"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.base = self.process.stdout.readline().strip()
        assert self.base, "the receiver did not start; its words are above"

    def hook(self) -> Hook:
        return Hook(self.base)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hook(receiver: Receiver) -> Hook:
    return receiver.hook()
