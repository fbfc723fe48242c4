"""HTTP for a store's addresses: its sub-domain, domains of its own, and which of them links name."""

import datetime as dt
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.accounts import Slug
from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants import domains, hosts, stores
from tenants.db import TenantTx, tenant_tx


class NewDomain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    domain: Annotated[str, Meta(min_length=1, max_length=253, description="In any spelling; kept in lower case and Punycode.")]


class Proof(Struct, frozen=True):
    """The TXT record that proves the domain."""

    name: str
    value: str


class Domain(Struct, frozen=True):
    """`pending` until the proof is found, then `active`; `lost` when it stayed away, and then not served. `problem` is for people."""

    id: str
    domain: str
    state: str
    problem: str
    proof: Proof
    verified_at: dt.datetime | None
    checked_at: dt.datetime | None
    next_check_at: dt.datetime | None
    created_at: dt.datetime


class Domains(Struct, frozen=True):
    domains: list[Domain]


class NewAddress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Slug


class NewPrimary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(min_length=1, max_length=253)]


class Address(Struct, frozen=True):
    """The store's sub-domain, and the host that links to it name: that, or a domain of its own."""

    slug: str
    host: str
    primary_host: str


def _domain(process: Process, merchant: Merchant, found: domains.Domain) -> Domain:
    proof = Proof(domains.challenge(found.domain), domains.token(process.keys.domains, merchant.tenant_id, found.domain))
    return Domain(
        encode("dom", found.id), found.domain, found.state, found.problem, proof,
        found.verified_at, found.checked_at, found.next_try_at, found.created_at,
    )  # fmt: skip


async def _address(process: Process, merchant: Merchant) -> Address:
    home = await hosts.home(process.platform_pool, merchant.tenant_id)
    host = f"{home.slug}.{process.settings.base_domain}"
    return Address(home.slug, host, home.primary_host or host)


class DomainController(Controller):
    path = "/domains"
    tags = ("Store",)

    @post("/", guards=[needs("store:write")], operation_id="addDomain", summary="Claim a domain; its proof is looked for at once")
    async def add(
        self,
        data: JSONBody[NewDomain],
        once: NamedDependency[Once],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
    ) -> Domain:
        domain = domains.normalize(data.domain, process.settings.base_domain)

        async def add() -> Domain:
            return _domain(process, merchant, await domains.add(once.tx, domain, actor=merchant.actor))

        return await once(add())

    @get("/", guards=[needs("store:read")], operation_id="listDomains", summary="The store's domains, oldest first")
    async def all_of(
        self, tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant], process: NamedDependency[Process]
    ) -> Domains:
        return Domains([_domain(process, merchant, found) for found in await domains.all_of(tx)])

    @get("/{domain_id:str}", guards=[needs("store:read")], operation_id="getDomain", summary="A domain, and how its proof stands")
    async def get(
        self,
        domain_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
    ) -> Domain:
        return _domain(process, merchant, await domains.get(tx, decode("dom", domain_id)))

    @post(
        "/{domain_id:str}/verify",
        guards=[needs("store:write")],
        status_code=202,
        operation_id="verifyDomain",
        summary="Look for the proof now; a lost domain is pending again",
    )
    async def verify(
        self,
        domain_id: FromPath[str],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Domain:
        await process.limits.check(("domain-checks", merchant.tenant_id.hex))
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            found = await domains.ask_again(tx, decode("dom", domain_id), actor=merchant.actor)
        process.bell.ring("store_domain", merchant.tenant_id, found.id)
        return _domain(process, merchant, found)

    @delete(
        "/{domain_id:str}",
        guards=[needs("store:write")],
        while_suspended=True,
        operation_id="removeDomain",
        summary="Stop serving a domain",
    )
    async def remove(self, domain_id: FromPath[str], merchant: NamedDependency[Merchant], process: NamedDependency[Process]) -> None:
        await domains.remove(process.platform_pool, process.app_pool, merchant.tenant_id, decode("dom", domain_id), actor=merchant.actor)


class AddressController(Controller):
    path = "/store/address"
    tags = ("Store",)

    @get("/", guards=[needs("store:read")], operation_id="getAddress", summary="The store's sub-domain and primary host")
    async def get(self, merchant: NamedDependency[Merchant], process: NamedDependency[Process]) -> Address:
        return await _address(process, merchant)

    @put("/", guards=[needs("store:write")], operation_id="moveStore", summary="Take another sub-domain; the old one leads on for 90 days")
    async def move(self, data: JSONBody[NewAddress], merchant: NamedDependency[Merchant], process: NamedDependency[Process]) -> Address:
        host = await hosts.move(process.platform_pool, merchant.tenant_id, data.slug, process.settings.base_domain)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            await stores.moved(tx, data.slug, host, actor=merchant.actor)
        return await _address(process, merchant)

    @put("/primary", guards=[needs("store:write")], operation_id="setPrimaryHost", summary="Choose the host that links to the store name")
    async def prefer(self, data: JSONBody[NewPrimary], merchant: NamedDependency[Merchant], process: NamedDependency[Process]) -> Address:
        host = data.host.lower()
        await hosts.prefer(process.platform_pool, merchant.tenant_id, host)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            await stores.touched(tx, merchant.actor, "store.primary_host_set", host=host)
        return await _address(process, merchant)
