"""Wires the parts together. The only module that knows them all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from api import catalog, console, headers, limits, openapi, platform, problems, storefront, types
from api.accounts import MerchantController
from api.api_keys import ApiKeyController
from api.audit import AuditController
from api.batches import BatchController
from api.buyer_groups import BuyerGroupController
from api.carts import CartController, CartOrderController, QuoteController
from api.channels import ChannelController, VisibilityController
from api.checkouts import CheckoutController
from api.coupon_claims import CouponClaimController
from api.coupons import CouponController, CouponGrantController
from api.domains import AddressController, DomainController
from api.entitlements import EntitlementController
from api.events import EventController
from api.exceptions import ExceptionController
from api.exports import ExportController
from api.feed import FeedController
from api.fulfilments import FulfilmentController
from api.funnels import FunnelController
from api.health import healthz, readyz
from api.idempotency import Replayed, answer_again
from api.invitations import InvitationController
from api.lookups import CodeController
from api.offers import OfferController
from api.order_acts import OrderActController
from api.order_exports import OrderExportController
from api.order_lookups import LookupController
from api.order_notes import OrderHistoryController
from api.order_tags import TagController, TaggedOrderController
from api.orders import OrderController, OwnOrderController
from api.overview import OverviewController
from api.password_resets import PasswordResetController
from api.payments import LedgerController, NoticeController, ProviderAccountController
from api.picks import OfferedPickController, PickController
from api.points import PointsController, ShopperPointsController
from api.price_files import PriceFileController
from api.price_lists import PriceHistoryController, PriceListController
from api.privacy import DataRequestController, ShopperRightsController
from api.process import open_process
from api.profile import ProfileController
from api.provide import DEPENDENCIES
from api.qualifications import CapabilityController, QualificationController
from api.receipts import ReceiptController, RefundListController
from api.reference import reference
from api.refundable import RefundableController
from api.refunds import RefundController
from api.retention import LeavingController, RetentionController
from api.roles import RoleController
from api.rotations import RotationController
from api.sales import SaleController
from api.sandboxes import SandboxController
from api.sessions import SessionController
from api.shelf import ShelfController
from api.shoppers import ShopperController
from api.snapshots import SnapshotController
from api.staff import StaffController
from api.standings import StandingController
from api.stores import StoreController
from api.strict import BODY_MAX, StrictRequest, strict_parameters
from api.tls import may_issue
from api.translations import TranslationController
from api.types import TypeController
from api.units import IssueController, UnitController
from api.vault import VaultController
from api.waiting_rooms import WaitingRoomController
from api.watches import StockWatchController
from api.webhooks import WebhookDeliveryController, WebhookEndpointController, WebhookEventController
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
            PasswordResetController,
            ProfileController,
            ApiKeyController,
            RoleController,
            StaffController,
            InvitationController,
            StoreController,
            AddressController,
            DomainController,
            ChannelController,
            VisibilityController,
            may_issue,
            SandboxController,
            *catalog.route_handlers,
            PickController,
            PriceListController,
            PriceFileController,
            PriceHistoryController,
            BuyerGroupController,
            CouponController,
            CouponGrantController,
            CouponClaimController,
            TranslationController,
            VaultController,
            UnitController,
            BatchController,
            IssueController,
            CodeController,
            ExportController,
            StockWatchController,
            RotationController,
            SaleController,
            ShelfController,
            FeedController,
            FunnelController,
            EventController,
            OverviewController,
            OfferController,
            OfferedPickController,
            ShopperController,
            CheckoutController,
            WaitingRoomController,
            CartOrderController,
            QuoteController,
            CartController,
            OrderController,
            RefundableController,
            SnapshotController,
            StandingController,
            RefundController,
            FulfilmentController,
            EntitlementController,
            TypeController,
            *types.acts(),
            OwnOrderController,
            OrderHistoryController,
            OrderActController,
            TagController,
            TaggedOrderController,
            OrderExportController,
            LookupController,
            ProviderAccountController,
            NoticeController,
            ReceiptController,
            RefundListController,
            LedgerController,
            ExceptionController,
            WebhookEndpointController,
            WebhookDeliveryController,
            WebhookEventController,
            QualificationController,
            CapabilityController,
            *platform.route_handlers,
            AuditController,
            PointsController,
            ShopperPointsController,
            ShopperRightsController,
            DataRequestController,
            RetentionController,
            LeavingController,
        ],
        guards=[strict_parameters],
        request_class=StrictRequest,
        request_max_body_size=BODY_MAX,
        response_headers=headers.as_response_headers(headers.API_HEADERS),
    )
    always = headers.SECURITY_HEADERS | (headers.HSTS if settings.public_url.startswith("https:") else {})
    return Litestar(
        [v1, healthz, readyz, openapi.openapi_json, reference, *console.route_handlers, *storefront.route_handlers],
        lifespan=[run],
        dependencies=DEPENDENCIES,
        before_send=[limits.tell],
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
