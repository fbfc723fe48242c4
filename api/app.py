"""Wires the parts together. The only module that knows them all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from api import headers, openapi, problems, storefront
from api.accounts import MerchantController, SessionController
from api.api_keys import ApiKeyController
from api.catalog import ProductController, SkuController
from api.checkouts import CheckoutController
from api.exceptions import ExceptionController
from api.feed import FeedController
from api.health import healthz, readyz
from api.idempotency import Replayed, answer_again
from api.offers import OfferController
from api.orders import LookupController, OrderController
from api.payments import LedgerController, NoticeController, ProviderAccountController
from api.process import open_process
from api.provide import DEPENDENCIES
from api.sales import SaleController
from api.shoppers import ShopperController
from api.strict import BODY_MAX, StrictRequest, strict_parameters
from api.vault import VaultController
from checkout_core.config import Settings

UPLOAD_MAX = 1024 * 1024  # whatever is not /v1; streamed uploads bound themselves


def create_app(settings: Settings) -> Litestar:
    """The API and the store's pages."""

    @asynccontextmanager
    async def run(app: Litestar) -> AsyncIterator[None]:
        async with open_process(settings) as app.state.process:
            yield

    v1 = Router(
        "/v1",
        route_handlers=[
            MerchantController,
            SessionController,
            ApiKeyController,
            ProductController,
            SkuController,
            VaultController,
            SaleController,
            FeedController,
            OfferController,
            ShopperController,
            CheckoutController,
            OrderController,
            LookupController,
            ProviderAccountController,
            NoticeController,
            LedgerController,
            ExceptionController,
        ],
        guards=[strict_parameters],
        request_class=StrictRequest,
        request_max_body_size=BODY_MAX,
        response_headers=headers.as_response_headers(headers.API_HEADERS),
    )
    always = headers.SECURITY_HEADERS | (headers.HSTS if settings.public_url.startswith("https:") else {})
    return Litestar(
        [v1, healthz, readyz, openapi.openapi_json, *storefront.route_handlers],
        lifespan=[run],
        dependencies=DEPENDENCIES,
        exception_handlers={
            Exception: problems.answer,
            NotFoundException: storefront.answer_unrouted,
            MethodNotAllowedException: storefront.answer_unrouted,
            Replayed: answer_again,
        },
        openapi_config=openapi.CONFIG,
        request_class=StrictRequest,
        request_max_body_size=UPLOAD_MAX,
        response_headers=headers.as_response_headers(always),
        logging_config=None,
    )
