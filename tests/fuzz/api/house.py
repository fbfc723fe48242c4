"""The shop that is hunted, as a client and as those who run it see it: its address, its mails, the platform's first admin, the provider."""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from tessera import letterbox
from tessera.shop import Shop
from tests.security.world import provider_account

Headers = dict[str, str]


class House(NamedTuple):
    """`letter` says what the newest mail to an address holds; `enrolment` adds an admin of the platform and says what he enrols with.

    Without a `provider_url` nobody works in the background and nothing is paid.
    """

    url: str
    letter: Callable[[str], str]
    enrolment: Callable[[str], str]
    provider_url: str = ""
    provider_token: str = ""

    @classmethod
    def of(cls, shop: Shop) -> "House":
        letter, enrolment = partial(letterbox.token, shop.mail_url), partial(added_by_command, dict(shop.environ))
        return cls(shop.api_url, letter, enrolment, shop.provider_url, shop.provider.admin_token)

    @property
    def whole(self) -> bool:
        return bool(self.provider_url)

    def account(self, name: str) -> dict[str, Any]:
        """What connects an account at the provider: a real one if there is a provider."""
        if not self.whole:
            return provider_account()
        office = bearer(self.provider_token)
        made = httpx.post(f"{self.provider_url}/admin/merchants", json={"name": name}, headers=office, trust_env=False)
        return {"provider": "sandbox", **made.raise_for_status().json()}


class Desk:
    """Asks the API for what has to be there. Anything but a success is an `AssertionError` with the answer."""

    def __init__(self, url: str) -> None:
        self.api = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def close(self) -> None:
        self.api.close()

    def ask(self, method: str, path: str, headers: Headers, body: Any = None, *, file: bytes | None = None) -> Any:
        response = self.send(method, path, headers, body, file=file)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content and "json" in response.headers["content-type"] else None

    def send(self, method: str, path: str, headers: Headers, body: Any = None, *, file: bytes | None = None) -> httpx.Response:
        content: dict[str, Any] = {"content": file} if file is not None else {} if method in ("GET", "DELETE") else {"json": body or {}}
        return self.api.request(method, path, headers={"Idempotency-Key": uuid4().hex} | headers, **content)


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def added_by_command(environ: Mapping[str, str], mail: str) -> str:
    """The enrolment of a new admin of the platform, made as whoever runs it would."""
    command = [sys.executable, "-m", "tessera", "platform-staff", "add", mail]
    printed = subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"pe_\S+", printed)
    assert found, printed
    return found[0]
