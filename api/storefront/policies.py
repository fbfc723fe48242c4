"""What a store promises: its refund policy, its privacy policy and its terms, each on a page of its own."""

from litestar import Response, get
from litestar.params import FromPath

from api.storefront import markdown
from api.storefront import visit as visits
from api.storefront.views import POLICIES
from api.storefront.visit import AVisit
from checkout_core.errors import NotFound


@get("/policies/{name:str}", dependencies={"visit": visits.at_store})
async def policy(visit: AVisit, name: FromPath[str]) -> Response[bytes]:
    store = await visit.face()
    text = getattr(store, POLICIES[name]) if name in POLICIES else ""
    if not text:
        raise NotFound("This store has no such policy.")
    return visit.render("policy.html", private=False, name=name, text=markdown.render(text))
