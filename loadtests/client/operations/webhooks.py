"""Webhooks. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages
from loadtests.client.operations.codes import Nothing


class WebhookEndpoint(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class WebhookEndpointChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is left out stays as it is."""

    url: str | None = None
    event_types: list[str] | None = None
    description: str | None = None
    enabled: bool | None = None


class WebhookEndpoints(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[WebhookEndpoint]


class NewWebhookEndpoint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Types of `GET /v1/webhook-events`; `*` is all of them but those that are sent by name only."""

    url: str
    event_types: list[str]
    description: str = ""


class CreatedWebhookEndpoint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`secret` is shown here and nowhere again."""

    endpoint: WebhookEndpoint
    secret: str


class FailedSince(Struct, frozen=True, kw_only=True, omit_defaults=True):
    since: dt.datetime


class Requeued(Struct, frozen=True, kw_only=True, omit_defaults=True):
    deliveries: int


class RotatedSecret(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`secret` is shown here and nowhere again. Until `old_until` the one before signs too."""

    secret: str
    old_until: dt.datetime


class TestedWebhook(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came back. Without a `status` there was no answer, and `failure` says why."""

    delivery_id: str
    succeeded: bool
    status: int | None
    failure: str | None
    duration_ms: int
    answer: str


class WebhookDelivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`attempts` counts those since it was last queued; `event_id` is sent as `webhook-id`."""

    id: str
    endpoint_id: str
    event_id: str
    type: str
    state: str
    attempts: int
    created_at: dt.datetime
    finished_at: dt.datetime | None


class WebhookDeliveryPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[WebhookDelivery]
    next_cursor: str | None


class WebhookAttempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`request_id` was sent as `X-Request-Id`; `answer` is the beginning of what came back."""

    request_id: str
    at: dt.datetime
    duration_ms: int
    status: int | None
    failure: str | None
    answer: str


class WebhookDeliveryDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`body` is what was signed, byte for byte; `attempts` are the newest 100, in their order."""

    delivery: WebhookDelivery
    body: str
    attempts: list[WebhookAttempt]


class WebhookEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`data` is the JSON Schema of the payload's `data`. One `by_name_only` is not part of `*`."""

    type: str
    version: int
    summary: str
    by_name_only: bool
    data: dict[str, Any]


class WebhookEvents(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[WebhookEvent]


def watch_events(*, types: str | None = None, last_event_id: str | None = None, seconds: int = 600) -> Call[str]:
    """The store's events as they happen. Ends by itself after ten minutes, and within two seconds when the session or key is revoked or the
    store is suspended.
    """
    return Call(
        method="GET", path="/v1/events", answers={200: str}, query={"types": types, "last_event_id": last_event_id, "seconds": seconds}
    )


def get_webhook_endpoint(endpoint_id: str) -> Call[WebhookEndpoint]:
    """Get a webhook endpoint."""
    return Call(method="GET", path=f"/v1/webhook-endpoints/{endpoint_id}", answers={200: WebhookEndpoint})


def delete_webhook_endpoint(endpoint_id: str) -> Call[None]:
    """Delete a webhook endpoint; what waits for it is cancelled."""
    return Call(method="DELETE", path=f"/v1/webhook-endpoints/{endpoint_id}", answers={204: None})


def change_webhook_endpoint(endpoint_id: str, body: WebhookEndpointChange) -> Call[WebhookEndpoint]:
    """Change a webhook endpoint; what waits for it is tried at once."""
    return Call(method="PATCH", path=f"/v1/webhook-endpoints/{endpoint_id}", answers={200: WebhookEndpoint}, body=body)


def list_webhook_endpoints() -> Call[WebhookEndpoints]:
    """List webhook endpoints, newest first."""
    return Call(method="GET", path="/v1/webhook-endpoints", answers={200: WebhookEndpoints})


def create_webhook_endpoint(body: NewWebhookEndpoint) -> Call[CreatedWebhookEndpoint]:
    """Be told of events at a URL."""
    return Call(method="POST", path="/v1/webhook-endpoints", answers={201: CreatedWebhookEndpoint}, body=body)


def redeliver_failed_webhooks(endpoint_id: str, body: FailedSince) -> Call[Requeued]:
    """Send again what was given up since a time."""
    return Call(method="POST", path=f"/v1/webhook-endpoints/{endpoint_id}/redeliver", answers={202: Requeued}, body=body)


def rotate_webhook_secret(endpoint_id: str) -> Call[RotatedSecret]:
    """Make a new secret; the old one signs too for 24 hours."""
    return Call(method="POST", path=f"/v1/webhook-endpoints/{endpoint_id}/rotate-secret", answers={200: RotatedSecret}, body=Nothing())


def test_webhook_endpoint(endpoint_id: str) -> Call[TestedWebhook]:
    """Deliver a webhook.test now, and see what comes back."""
    return Call(method="POST", path=f"/v1/webhook-endpoints/{endpoint_id}/test", answers={200: TestedWebhook}, body=Nothing())


def cancel_webhook_delivery(delivery_id: str) -> Call[WebhookDelivery]:
    """Give up a delivery that waits; those behind it go on."""
    return Call(method="POST", path=f"/v1/webhook-deliveries/{delivery_id}/cancel", answers={200: WebhookDelivery}, body=Nothing())


def list_webhook_deliveries(
    *,
    limit: int = 20,
    cursor: str | None = None,
    endpoint_id: str | None = None,
    type: str | None = None,
    state: Literal["waiting", "delivered", "given_up", "cancelled"] | None = None,
) -> Pages[WebhookDeliveryPage, WebhookDelivery]:
    """The log of webhooks, newest first."""
    return Pages(
        method="GET",
        path="/v1/webhook-deliveries",
        answers={200: WebhookDeliveryPage},
        query={"limit": limit, "cursor": cursor, "endpoint_id": endpoint_id, "type": type, "state": state},
        rows=lambda page: page.items,
    )


def get_webhook_delivery(delivery_id: str) -> Call[WebhookDeliveryDetail]:
    """A delivery, its body and its attempts."""
    return Call(method="GET", path=f"/v1/webhook-deliveries/{delivery_id}", answers={200: WebhookDeliveryDetail})


def redeliver_webhook(delivery_id: str) -> Call[WebhookDelivery]:
    """Send a delivery again, with the same webhook-id."""
    return Call(method="POST", path=f"/v1/webhook-deliveries/{delivery_id}/redeliver", answers={202: WebhookDelivery}, body=Nothing())


def list_webhook_events() -> Call[WebhookEvents]:
    """The events there are, and what each carries."""
    return Call(method="GET", path="/v1/webhook-events", answers={200: WebhookEvents})
