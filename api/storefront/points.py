"""The member's centre: points, the level and what is missing to the next, the statement, and signing in for the day."""

from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromQuery

from api.storefront import visit as visits
from api.storefront.visit import AVisit
from checkout_core.errors import Conflict, NotFound
from tenants.db import tenant_tx
from tenants.points import acts, read

AT_STORE = {"visit": visits.at_store}
ENTRIES: Final = 20
NOBODY: Final = UUID(int=0)  # who has not bought or signed in yet has no points, and sees what there is to have


@get("/me/points", dependencies=AT_STORE)
async def show(visit: AVisit, before: FromQuery[str] = "", got: FromQuery[str] = "") -> Response[bytes]:
    """Raises `NotFound` where the store has no points."""
    store = await visit.at_store()
    shopper = visit.shopper()
    who = shopper.id if shopper else NOBODY
    end = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        account = await read.account(tx, who)
        entries = await read.entries(tx, who, limit=ENTRIES + 1, before=end)
    if not account.enabled:
        raise NotFound("This store has no points.")
    more = entries[ENTRIES - 1].number if len(entries) > ENTRIES else None
    visit.page.path = "/me/points"
    return visit.render("points.html", account=account, entries=entries[:ENTRIES], more=more, earlier=end is not None, got=got == "1")


@post("/me/points", dependencies=AT_STORE, status_code=200)
async def sign_in(visit: AVisit) -> Response[bytes]:
    """Today's points, for a new guest too. Pressed twice it is as pressed once."""
    await visit.form()
    store = await visit.at_open_store()
    shopper = await visit.shopper_or_guest()
    await visit.process.limits.check(("points", shopper.id.hex))
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        try:
            points = await acts.sign_in(tx, shopper.id)
        except Conflict:
            points = 0  # the store gives none any more: the page says what there is
    return visit.go("/me/points?got=1" if points else "/me/points")
