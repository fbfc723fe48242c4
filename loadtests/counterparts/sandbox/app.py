"""The provider's doors: `/v3` for merchants (signed both ways), `/pay` for payers, `/admin` for whoever runs the sandbox."""

import asyncio
import datetime as dt
import hmac
import secrets
import time

from cryptography.hazmat.primitives.asymmetric import rsa

from loadtests.counterparts.sandbox import pages, reports, signing, wire
from loadtests.counterparts.sandbox.asgi import Request, Response, Router, answer, refuse
from loadtests.counterparts.sandbox.books import Books, Merchant, refund_resource, transaction_resource
from loadtests.counterparts.sandbox.faults import Faults, Switchboard
from loadtests.counterparts.sandbox.signing import Identity
from loadtests.counterparts.sandbox.wire import AdminPay, CloseOrder, CreateOrder, CreateRefund, Refusal, RegisterMerchant, decode

LOOPBACK = ("127.0.0.1", "::1")


class Provider:
    def __init__(self, identity: Identity, books: Books, switches: Switchboard) -> None:
        self.base_url = ""  # known once the port is
        self._identity, self._books, self._switches = identity, books, switches
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._router = router = Router()
        router.add("POST /v3/pay/transactions", self._create)
        router.add("GET /v3/pay/transactions/out-trade-no/{}", self._query)
        router.add("POST /v3/pay/transactions/out-trade-no/{}/close", self._close)
        router.add("POST /v3/refund/domestic/refunds", self._create_refund)
        router.add("GET /v3/refund/domestic/refunds/{}", self._query_refund)
        router.add("GET /v3/bill", self._bill)
        router.add("GET /pay/{}", self._pay_page)
        router.add("POST /pay/{}", self._pay)
        router.add("GET /pay.css", self._style)
        router.add("GET /healthz", self._health)
        router.add("POST /admin/merchants", self._register)
        router.add("POST /admin/pay/{}", self._admin_pay)
        router.add("GET /admin/books", self._report)
        router.add("GET /admin/faults", self._show_faults)
        router.add("POST /admin/faults", self._set_faults)
        router.add("DELETE /admin/faults", self._clear_faults)

    async def handle(self, request: Request) -> Response:
        if request.path.startswith("/v3/"):
            return await self._signed(request)
        if request.path.startswith("/admin/"):
            self._guard(request)
        handler, request = self._router.find(request)
        return await handler(request)

    async def _signed(self, request: Request) -> Response:
        """Answers of /v3, refusals too, carry the provider's signature. The switches for slow and failing answers act here."""
        faults = self._switches.of(_out_trade_no(request))
        failing = self._switches.happens("http_5xx", faults.http_5xx)
        after_the_work = failing and self._switches.happens("http_5xx_after_the_work", 0.5)
        try:
            if failing and not after_the_work:
                raise Refusal(500, "SYSTEM_ERROR", "The sandbox was told to fail, and did nothing.")
            handler, request = self._router.find(request)
            response = await handler(request)
            if after_the_work:
                raise Refusal(500, "SYSTEM_ERROR", "The sandbox was told to fail, after it did the work.")
        except Refusal as e:
            response = refuse(e)
        if faults.slow_ms:
            await asyncio.sleep(faults.slow_ms / 1000)
        return response._replace(headers=(*response.headers, *self._identity.headers(response.body)))

    # Merchants

    def _merchant(self, request: Request, claimed: str | None) -> str:
        """The merchant who signed the request, who must be the one it speaks of. Raises `Refusal` 401, 400."""
        auth = signing.parse_authorization(request.headers.get("authorization", ""))
        merchant = self._books.merchants.get(auth.mchid) if auth else None
        if auth is None or merchant is None or auth.serial_no != merchant.serial_no:
            raise Refusal(401, "SIGN_ERROR", "The Authorization header names no known merchant and serial.")
        if not signing.fresh(auth.timestamp, time.time()):
            raise Refusal(401, "SIGN_ERROR", "The timestamp is more than 5 minutes off.")
        message = signing.lines(request.method, request.target, auth.timestamp, auth.nonce_str, request.body)
        if not signing.verifies(self._key(merchant), auth.signature, message):
            raise Refusal(401, "SIGN_ERROR", "The signature does not fit the request.")
        if claimed is not None and claimed != merchant.mch_id:
            raise Refusal(400, "PARAM_ERROR", "mchid is not the merchant who signed.")
        return merchant.mch_id

    def _key(self, merchant: Merchant) -> rsa.RSAPublicKey:
        if merchant.mch_id not in self._keys:
            self._keys[merchant.mch_id] = signing.load_public(merchant.public_key_pem)
        return self._keys[merchant.mch_id]

    async def _create(self, request: Request) -> Response:
        order = decode(request.body, CreateOrder)
        self._merchant(request, order.mchid)
        prepay_id = await self._books.store.write(lambda: self._books.create(order))
        return answer({"prepay_id": prepay_id, "pay_url": f"{self.base_url}/pay/{prepay_id}"})

    async def _query(self, request: Request) -> Response:
        mch_id = self._merchant(request, request.query.get("mchid", ""))
        return answer(transaction_resource(self._books.trade(mch_id=mch_id, out_trade_no=request.args[0])))

    async def _close(self, request: Request) -> Response:
        mch_id = self._merchant(request, decode(request.body, CloseOrder).mchid)
        await self._books.store.write(lambda: self._books.close(mch_id, request.args[0]))
        return Response(204)

    async def _create_refund(self, request: Request) -> Response:
        mch_id = self._merchant(request, None)
        ask = decode(request.body, CreateRefund)
        return answer(refund_resource(await self._books.store.write(lambda: self._books.create_refund(mch_id, ask))))

    async def _query_refund(self, request: Request) -> Response:
        return answer(refund_resource(self._books.refund(self._merchant(request, None), request.args[0])))

    async def _bill(self, request: Request) -> Response:
        mch_id = self._merchant(request, None)
        try:
            day = dt.date.fromisoformat(request.query.get("date", ""))
        except ValueError:
            raise Refusal(400, "PARAM_ERROR", "date is a day such as 2026-11-22, in UTC.") from None
        body = await asyncio.to_thread(self._books.store.snapshot, lambda db: reports.bill(db, mch_id, day))
        return Response(200, body, "application/x-ndjson")

    # Payers

    async def _pay_page(self, request: Request) -> Response:
        return pages.show(self._books.trade(prepay_id=request.args[0]), request)

    async def _pay(self, request: Request) -> Response:
        await self._books.store.write(lambda: self._books.pay(request.args[0]))
        return Response(303, headers=(("Location", request.target),))

    async def _style(self, request: Request) -> Response:
        return pages.style()

    async def _health(self, request: Request) -> Response:
        return answer({"status": "ok"})

    # Whoever runs the sandbox

    def _guard(self, request: Request) -> None:
        if request.client not in LOOPBACK:
            raise Refusal(403, "NO_AUTH", "Only from this machine.")
        given, wanted = request.headers.get("authorization", ""), f"Bearer {self._identity.admin_token}"
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Refusal(401, "NO_AUTH", "The admin token is missing or wrong.")

    async def _register(self, request: Request) -> Response:
        asked = decode(request.body, RegisterMerchant)
        key = await asyncio.to_thread(signing.new_key)
        mch_id = f"19{secrets.randbelow(10**8):08}"
        merchant = Merchant(mch_id, asked.name, signing.new_serial(), signing.public_pem(key.public_key()), signing.new_api_v3_key())
        await self._books.store.write(lambda: self._books.register(merchant))
        return answer(
            {
                "mch_id": mch_id,
                "serial_no": merchant.serial_no,
                "private_key_pem": signing.private_pem(key),
                "api_v3_key": merchant.api_v3_key,
                "provider_serial": self._identity.serial,
                "provider_public_key_pem": self._identity.public_pem,
            },
            201,
        )

    async def _admin_pay(self, request: Request) -> Response:
        how = decode(request.body, AdminPay)
        trade = await self._books.store.write(lambda: self._books.pay(request.args[0], how))
        if trade["state"] == "CLOSED":
            raise Refusal(409, "ORDER_CLOSED", 'The order is closed; {"late": true} takes the money all the same.')
        return answer(transaction_resource(trade))

    async def _report(self, request: Request) -> Response:
        mch_id = request.query.get("mch_id")
        body = await asyncio.to_thread(self._books.store.snapshot, lambda db: wire.encode(reports.books(db, mch_id)))
        return Response(200, body)

    async def _show_faults(self, request: Request) -> Response:
        return answer(self._switches.report())

    async def _set_faults(self, request: Request) -> Response:
        self._switches.set(decode(request.body, Faults))
        return answer(self._switches.report())

    async def _clear_faults(self, request: Request) -> Response:
        self._switches.clear(request.query.get("out_trade_no"))
        return answer(self._switches.report())


def _out_trade_no(request: Request) -> str:
    """Which order a request is about, as far as its path or body says, for the switches that are set for one order."""
    path = request.path.split("/")
    if "out-trade-no" in path[:-1]:
        return path[path.index("out-trade-no") + 1]
    return wire.peek_out_trade_no(request.body)
