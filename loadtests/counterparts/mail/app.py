"""The catcher's door for people and programs on this machine: what was taken, by recipient, and the switches."""

from loadtests.counterparts.mail.box import Box, Faults
from loadtests.counterparts.sandbox.asgi import Request, Response, Router, answer
from loadtests.counterparts.sandbox.wire import Refusal, decode

LOOPBACK = ("127.0.0.1", "::1")
NAMES = ("127.0.0.1", "[::1]", "localhost")


class Catcher:
    def __init__(self, box: Box) -> None:
        self._box = box
        self._router = router = Router()
        router.add("GET /healthz", self._health)
        router.add("GET /mails", self._mails)
        router.add("DELETE /mails", self._forget)
        router.add("GET /faults", self._show_faults)
        router.add("POST /faults", self._set_faults)
        router.add("DELETE /faults", self._clear_faults)

    async def handle(self, request: Request) -> Response:
        # By name too: a page of somebody else's that has our address as its own shall not read what is here.
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        if request.client not in LOOPBACK or host not in NAMES:
            raise Refusal(403, "NO_AUTH", "Only from this machine.")
        handler, request = self._router.find(request)
        return await handler(request)

    async def _health(self, request: Request) -> Response:
        return answer({"status": "ok"})

    async def _mails(self, request: Request) -> Response:
        """Those to `to`, oldest first, from number `after` on."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise Refusal(400, "PARAM_ERROR", "after is the number of a mail.")
        return answer({"mails": [letter for letter in self._box.to(request.query.get("to", "")) if letter.number > int(after)]})

    async def _forget(self, request: Request) -> Response:
        self._box.letters.clear()
        return Response(204)

    async def _show_faults(self, request: Request) -> Response:
        return answer(self._box.faults)

    async def _set_faults(self, request: Request) -> Response:
        self._box.faults = decode(request.body, Faults)
        return answer(self._box.faults)

    async def _clear_faults(self, request: Request) -> Response:
        self._box.faults = Faults()
        return Response(204)
