"""Signing up where mails are caught: the API is asked, the catcher has the mail, what it holds confirms."""

import re
import time
from typing import Any

import httpx

WAIT_S = 20.0
EVERY_S = 0.05
_LINK = re.compile(r"[?&]token=([A-Za-z0-9_-]{43,64})(?![A-Za-z0-9_-])")  # an invitation's is the longest


class NotSignedUp(Exception):
    """The API refused, or no mail came; the message says which."""


def sign_up(api_url: str, mail_url: str, *, password: str, **asked: str) -> dict[str, Any]:
    """What the confirmation answered, the API key among it; `asked` is the body of `POST /v1/merchants`. Raises `NotSignedUp`."""
    with httpx.Client(base_url=api_url, timeout=WAIT_S, trust_env=False) as api:
        _answer(api.post("/v1/merchants", json=asked))
        return _answer(api.post("/v1/merchants/confirm", json={"token": token(mail_url, asked["mail"]), "password": password}))


def token(mail_url: str, to: str) -> str:
    """What the newest mail to somebody holds, once one has come. Raises `NotSignedUp` when none comes."""
    until = time.monotonic() + WAIT_S
    with httpx.Client(base_url=mail_url, trust_env=False) as catcher:
        while time.monotonic() < until:
            letters = catcher.get("/mails", params={"to": to}).raise_for_status().json()["mails"]
            if letters and (found := _LINK.search(letters[-1]["text"])):
                return found[1]
            time.sleep(EVERY_S)
    raise NotSignedUp(f"no mail came to {to} within {WAIT_S:.0f} s")


def _answer(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        raise NotSignedUp(f"{response.request.url.path} was answered {response.status_code}: {response.text[:300]}")
    document: dict[str, Any] = response.json()
    return document
