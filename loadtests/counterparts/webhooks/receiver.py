"""What the receiver does with a webhook, and what it is told to do instead."""

import asyncio
import json
import time
from collections import defaultdict
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

BODY_MAX = 64 * 1024
DRIP_S = 0.1
HANG_S = 60.0
FLOOD = 8 * 1024 * 1024
BEHAVIOURS = {
    "ok": "204",
    "text": "200 and the text `thanks`",
    "error": "500 and a page of words",
    "busy": "503 with Retry-After",
    "limited": "429 with Retry-After",
    "gone": "410",
    "redirect": "302 to `location`",
    "hang": "nothing, for a minute",
    "drip": "200 at once, then one byte of the body every 0.1 s, without end",
    "flood": "200 and 8 MiB",
}


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`times`: only the next so many; then it is `ok` again."""

    secrets: list[str] = []
    behaviour: str = "ok"
    times: int | None = None
    retry_after: str = "7"
    location: str = ""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """`verified` by any of the hook's secrets; `duplicate` when the id came before."""

    id: str
    type: str
    at: float
    verified: bool
    duplicate: bool
    signatures: int
    headers: dict[str, str]
    body: str
    did: str


class Receiver:
    """An ASGI application. `/hooks/NAME` is what merchants would register, `/admin/hooks/NAME` commands it and shows its book."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._left: dict[str, int | None] = {}
        self._book: dict[str, list[Received]] = defaultdict(list)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = await _read(receive)
        match (scope["method"], *scope["path"].strip("/").split("/")):
            case ("POST", "hooks", name):
                did = self._behaviour(name)
                headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
                self._note(name, headers, body, did)
                await self._play(did, self._commands.get(name, Command()), send)
            case ("PUT", "admin", "hooks", name):
                command = msgspec.json.decode(body, type=Command)
                assert command.behaviour in BEHAVIOURS, command.behaviour
                self._commands[name], self._left[name] = command, command.times
                await _answer(send, 204)
            case ("GET", "admin", "hooks", name):
                await _answer(send, 200, msgspec.json.encode(self._book[name]))
            case ("GET", "healthz"):
                await _answer(send, 200, b"ok")
            case _:
                await _answer(send, 404)

    def _behaviour(self, name: str) -> str:
        command = self._commands.get(name, Command())
        if self._left.get(name) == 0:
            return "ok"
        if command.times is not None:
            self._left[name] = (self._left[name] or 0) - 1
        return command.behaviour

    def _note(self, name: str, headers: dict[str, str], body: bytes, did: str) -> None:
        verified = False
        for secret in self._commands.get(name, Command()).secrets:
            try:
                Webhook(secret).verify(body, headers)
                verified = True
            except (WebhookVerificationError, ValueError):
                continue
        message_id = headers.get("webhook-id", "")
        self._book[name].append(
            Received(
                id=message_id,
                type=str(json.loads(body).get("type", "")),
                at=time.time(),
                verified=verified,
                duplicate=any(each.id == message_id for each in self._book[name]),
                signatures=len(headers.get("webhook-signature", "").split()),
                headers=headers,
                body=body.decode(),
                did=did,
            )
        )

    async def _play(self, did: str, command: Command, send: Any) -> None:
        match did:
            case "ok":
                await _answer(send, 204)
            case "text":
                await _answer(send, 200, b"thanks")
            case "error":
                await _answer(send, 500, b"Something broke. " * 200)
            case "busy" | "limited":
                await _answer(send, 503 if did == "busy" else 429, headers=[(b"retry-after", command.retry_after.encode())])
            case "gone":
                await _answer(send, 410)
            case "redirect":
                await _answer(send, 302, headers=[(b"location", command.location.encode())])
            case "flood":
                await _answer(send, 200, b"x" * FLOOD)
            case "hang":
                await asyncio.sleep(HANG_S)
            case "drip":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                for _ in range(int(HANG_S / DRIP_S)):
                    await send({"type": "http.response.body", "body": b".", "more_body": True})
                    await asyncio.sleep(DRIP_S)


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more and len(body) <= BODY_MAX:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Any, status: int, body: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None) -> None:
    length = [(b"content-length", str(len(body)).encode())] if status != 204 else []
    await send({"type": "http.response.start", "status": status, "headers": [*length, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
