"""HTTP for webhooks: endpoints, the log of deliveries, the catalogue of events. Each handler is one call into `tenants.webhooks`."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.webhooks import catalogue, endpoints, log, trial

DeliveryState = Literal["waiting", "delivered", "given_up", "cancelled"]

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Description = Annotated[str, Meta(max_length=200)]
EventTypes = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=64)]
Instant = Annotated[dt.datetime, Meta(tz=True)]


class NewWebhookEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Types of `GET /v1/webhook-events`; `*` is all of them but those that are sent by name only."""

    url: Url
    event_types: EventTypes
    description: Description = ""


class WebhookEndpointChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    enabled: bool | None = None


class WebhookEndpoint(Struct, frozen=True):
    """`disabled_because` is `merchant`, `gone` (it answered 410) or `failing`; `failing_since` the first failure since the last success."""

    id: str
    url: str
    description: str
    event_types: list[str]
    enabled: bool
    disabled_because: str | None
    failing_since: dt.datetime | None
    next_try_at: dt.datetime | None
    created_at: dt.datetime


class CreatedWebhookEndpoint(Struct, frozen=True):
    """`secret` is shown here and nowhere again."""

    endpoint: WebhookEndpoint
    secret: str


class WebhookEndpoints(Struct, frozen=True):
    items: list[WebhookEndpoint]


class RotatedSecret(Struct, frozen=True):
    """`secret` is shown here and nowhere again. Until `old_until` the one before signs too."""

    secret: str
    old_until: dt.datetime


class TestedWebhook(Struct, frozen=True):
    """What came back. Without a `status` there was no answer, and `failure` says why."""

    delivery_id: str
    succeeded: bool
    status: int | None
    failure: str | None
    duration_ms: int
    answer: str


class WebhookDelivery(Struct, frozen=True):
    """`attempts` counts those since it was last queued; `event_id` is sent as `webhook-id`."""

    id: str
    endpoint_id: str
    event_id: str
    type: str
    state: str
    attempts: int
    created_at: dt.datetime
    finished_at: dt.datetime | None


class WebhookAttempt(Struct, frozen=True):
    """`request_id` was sent as `X-Request-Id`; `answer` is the beginning of what came back."""

    request_id: str
    at: dt.datetime
    duration_ms: int
    status: int | None
    failure: str | None
    answer: str


class WebhookDeliveryDetail(Struct, frozen=True):
    """`body` is what was signed, byte for byte; `attempts` are the newest 100, in their order."""

    delivery: WebhookDelivery
    body: str
    attempts: list[WebhookAttempt]


class WebhookDeliveryPage(Struct, frozen=True):
    items: list[WebhookDelivery]
    next_cursor: str | None


class FailedSince(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    since: Instant


class Requeued(Struct, frozen=True):
    deliveries: int


class WebhookEvent(Struct, frozen=True):
    """`data` is the JSON Schema of the payload's `data`. One `by_name_only` is not part of `*`."""

    type: str
    version: int
    summary: str
    by_name_only: bool
    data: dict[str, Any]


class WebhookEvents(Struct, frozen=True):
    items: list[WebhookEvent]


def _endpoint(endpoint: endpoints.Endpoint) -> WebhookEndpoint:
    _, *rest = msgspec.structs.astuple(endpoint)
    return WebhookEndpoint(encode("whe", endpoint.id), *rest)


def _delivery(delivery: log.Delivery) -> WebhookDelivery:
    _, _, _, *rest = msgspec.structs.astuple(delivery)
    return WebhookDelivery(encode("whd", delivery.id), encode("whe", delivery.endpoint_id), encode("evt", delivery.event_id), *rest)


def _attempt(attempt: log.Attempted) -> WebhookAttempt:
    _, *rest = msgspec.structs.astuple(attempt)
    return WebhookAttempt(encode("req", attempt.id), *rest)


class WebhookEndpointController(Controller):
    path = "/webhook-endpoints"
    tags = ("Webhooks",)

    # No Idempotency-Key here: keeping the answer would keep the secret.
    @post("/", guards=[needs("webhooks:write")], operation_id="createWebhookEndpoint", summary="Be told of events at a URL")
    async def create(
        self,
        data: JSONBody[NewWebhookEndpoint],
        process: NamedDependency[Process],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> CreatedWebhookEndpoint:
        endpoint, secret = await endpoints.create(
            tx, process.keyring, url=data.url, description=data.description, event_types=data.event_types,
            loopback=process.settings.webhook_loopback, actor=merchant.actor,
        )  # fmt: skip
        return CreatedWebhookEndpoint(_endpoint(endpoint), secret)

    @get("/", guards=[needs("webhooks:read")], operation_id="listWebhookEndpoints", summary="List webhook endpoints, newest first")
    async def list(self, tx: NamedDependency[TenantTx]) -> WebhookEndpoints:
        return WebhookEndpoints([_endpoint(endpoint) for endpoint in await endpoints.all_of(tx)])

    @get("/{endpoint_id:str}", guards=[needs("webhooks:read")], operation_id="getWebhookEndpoint", summary="Get a webhook endpoint")
    async def read(self, endpoint_id: FromPath[str], tx: NamedDependency[TenantTx]) -> WebhookEndpoint:
        return _endpoint(await endpoints.get(tx, decode("whe", endpoint_id)))

    @patch(
        "/{endpoint_id:str}",
        guards=[needs("webhooks:write")],
        while_suspended=True,
        operation_id="changeWebhookEndpoint",
        summary="Change a webhook endpoint; what waits for it is tried at once",
    )
    async def change(
        self,
        endpoint_id: FromPath[str],
        data: JSONBody[WebhookEndpointChange],
        process: NamedDependency[Process],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> WebhookEndpoint:
        endpoint = await endpoints.change(
            tx, decode("whe", endpoint_id), **msgspec.structs.asdict(data), loopback=process.settings.webhook_loopback, actor=merchant.actor
        )
        return _endpoint(endpoint)

    @delete(
        "/{endpoint_id:str}",
        guards=[needs("webhooks:write")],
        while_suspended=True,
        operation_id="deleteWebhookEndpoint",
        summary="Delete a webhook endpoint; what waits for it is cancelled",
    )
    async def delete(self, endpoint_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await endpoints.delete(tx, decode("whe", endpoint_id), actor=merchant.actor)

    @post(
        "/{endpoint_id:str}/rotate-secret",
        guards=[needs("webhooks:write")],
        status_code=200,
        while_suspended=True,
        operation_id="rotateWebhookSecret",
        summary="Make a new secret; the old one signs too for 24 hours",
    )
    async def rotate_secret(
        self,
        endpoint_id: FromPath[str],
        process: NamedDependency[Process],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> RotatedSecret:
        return RotatedSecret(*await endpoints.rotate_secret(tx, process.keyring, decode("whe", endpoint_id), actor=merchant.actor))

    @post(
        "/{endpoint_id:str}/test",
        guards=[needs("webhooks:write")],
        status_code=200,
        operation_id="testWebhookEndpoint",
        summary="Deliver a webhook.test now, and see what comes back",
    )
    async def test(
        self,
        endpoint_id: FromPath[str],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> TestedWebhook:
        await process.limits.check(("webhook-tests", merchant.tenant_id.hex))
        delivery_id, attempt = await trial.send(
            process.app_pool, process.keyring, process.sender, merchant.tenant_id, decode("whe", endpoint_id), actor=merchant.actor
        )
        return TestedWebhook(
            encode("whd", delivery_id), attempt.succeeded, attempt.status, attempt.failure, attempt.duration_ms, attempt.answer
        )

    @post(
        "/{endpoint_id:str}/redeliver",
        guards=[needs("webhooks:write")],
        status_code=202,
        while_suspended=True,
        operation_id="redeliverFailedWebhooks",
        summary="Send again what was given up since a time",
    )
    async def redeliver(
        self,
        endpoint_id: FromPath[str],
        data: JSONBody[FailedSince],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Requeued:
        return Requeued(await log.redeliver_failed(tx, decode("whe", endpoint_id), data.since, actor=merchant.actor))


class WebhookDeliveryController(Controller):
    path = "/webhook-deliveries"
    tags = ("Webhooks",)

    @get("/", guards=[needs("webhooks:read")], operation_id="listWebhookDeliveries", summary="The log of webhooks, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        endpoint_id: Annotated[str | None, QueryParameter(description="Only those to this endpoint.")] = None,
        event_type: Annotated[str | None, QueryParameter(name="type", description="Only those of this event.")] = None,
        delivery_state: Annotated[DeliveryState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
    ) -> WebhookDeliveryPage:
        endpoint = decode("whe", endpoint_id) if endpoint_id is not None else None
        before = page.after(UUID)
        found = await log.latest(tx, endpoint_id=endpoint, type_=event_type, state=delivery_state, limit=page.rows, before=before)
        return WebhookDeliveryPage(*page.cut([_delivery(each) for each in found], [each.id for each in found]))

    @get(
        "/{delivery_id:str}",
        guards=[needs("webhooks:read")],
        operation_id="getWebhookDelivery",
        summary="A delivery, its body and its attempts",
    )
    async def read(self, delivery_id: FromPath[str], tx: NamedDependency[TenantTx]) -> WebhookDeliveryDetail:
        found = await log.get(tx, decode("whd", delivery_id))
        return WebhookDeliveryDetail(_delivery(found.delivery), found.body, [_attempt(each) for each in found.attempts])

    @post(
        "/{delivery_id:str}/redeliver",
        guards=[needs("webhooks:write")],
        status_code=202,
        while_suspended=True,
        operation_id="redeliverWebhook",
        summary="Send a delivery again, with the same webhook-id",
    )
    async def redeliver(
        self,
        delivery_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> WebhookDelivery:
        return _delivery(await log.redeliver(tx, decode("whd", delivery_id), actor=merchant.actor))

    @post(
        "/{delivery_id:str}/cancel",
        guards=[needs("webhooks:write")],
        status_code=200,
        while_suspended=True,
        operation_id="cancelWebhookDelivery",
        summary="Give up a delivery that waits; those behind it go on",
    )
    async def cancel(
        self,
        delivery_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> WebhookDelivery:
        return _delivery(await log.cancel(tx, decode("whd", delivery_id), actor=merchant.actor))


class WebhookEventController(Controller):
    path = "/webhook-events"
    tags = ("Webhooks",)

    @get("/", guards=[needs("webhooks:read")], operation_id="listWebhookEvents", summary="The events there are, and what each carries")
    async def list(self) -> WebhookEvents:
        return WebhookEvents(
            [
                WebhookEvent(kind.name, kind.version, kind.summary, kind.by_name_only, catalogue.schema(kind))
                for kind in [*catalogue.KINDS.values(), catalogue.TEST]
            ]
        )
