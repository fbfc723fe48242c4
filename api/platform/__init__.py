"""HTTP for the platform's own people, under /v1/platform. No key or session of a merchant is good here, and none of theirs elsewhere."""

from api.platform.merchants import PlatformMerchantController
from api.platform.product_reviews import ProductReviewController, ReviewRuleController, WaitingProductController
from api.platform.qualifications import ReviewController, WaitingController
from api.platform.records import RecordController
from api.platform.sessions import EnrolmentController, PlatformSessionController
from api.platform.slugs import SlugController
from api.platform.staff import StaffController

route_handlers = [
    EnrolmentController,
    PlatformSessionController,
    StaffController,
    PlatformMerchantController,
    WaitingController,
    ReviewController,
    WaitingProductController,
    ProductReviewController,
    ReviewRuleController,
    SlugController,
    RecordController,
]
