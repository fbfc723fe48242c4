"""Domains of merchants' own: claimed by anybody, served for whoever proves them in the DNS, and proven again every day.

The proof is a TXT record at `_tessera-challenge.<domain>` that holds the tenant's token. The token follows from tenant and domain: it
proves nothing for another tenant, and whether the one who holds a domain still proves it can be told without reading his rows.
"""

import datetime as dt
import hmac
import ipaddress
import random
from typing import NamedTuple
from uuid import UUID

import asyncpg
import idna
import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import hosts
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.resolver import DnsUnavailable, Resolver

CHALLENGE = "_tessera-challenge"
LENGTH_MAX = 230  # with the challenge before it a name stays within 253
DOMAINS_MAX = 50  # of one store
AGAIN_S = (60, 60, 120, 300, 600, 1800, 3600)  # between looks for a proof that is not there yet; the last one repeats
PENDING_FOR = dt.timedelta(days=7)
EVERY_S = 24 * 3600
FAILING_EVERY_S = 8 * 3600
LOST_AFTER = 4  # checks in a row that found the proof gone …
LOST_OVER = dt.timedelta(days=3)  # … and so long apart
TRANSIENT_S = 15 * 60
LEASE_S = 120
ACTOR = "duty:store_domain"
# Names that are nobody's to own (RFC 6761, RFC 8375, and those of local networks).
_SPECIAL = ("localhost", "local", "internal", "lan", "invalid", "onion", "arpa", "alt")


class Domain(msgspec.Struct, frozen=True):
    """`state`: `pending` until the proof is first seen, `active` while it is served, `lost` when the proof stayed away.

    `problem` says what the last check found wrong; empty when nothing.
    """

    id: UUID
    domain: str
    state: str
    problem: str
    failures: int
    verified_at: dt.datetime | None
    checked_at: dt.datetime | None
    created_at: dt.datetime
    next_try_at: dt.datetime | None


class Verifier(NamedTuple):
    """What the duty works with. `key` is derived (32 bytes)."""

    platform: Pool
    resolver: Resolver
    key: bytes


_COLUMNS = ", ".join(Domain.__struct_fields__)


def normalize(text: str, base_domain: str) -> str:
    """`Bücher.Example.` is `xn--bcher-kva.example`. Raises `Unprocessable` (`bad_domain`) for what cannot be a store's own domain."""

    def refuse(why: str) -> Unprocessable:
        return Unprocessable(f"{text[:80]!r} {why}. Name a domain of yours, such as shop.example.com.", code="bad_domain")

    try:
        domain = idna.encode(text.strip().rstrip("."), uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise refuse("is no domain name") from None
    if len(domain) > LENGTH_MAX:
        raise refuse("is too long")
    *_, last = labels = domain.split(".")
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        pass
    else:
        raise refuse("is an address")
    if len(labels) < 2:
        raise refuse("is one label")
    if last.isdigit() or last in _SPECIAL:
        raise refuse("ends in a name that nobody owns")
    if domain == base_domain or domain.endswith(f".{base_domain}"):
        raise refuse("is the platform's own")
    return domain


def challenge(domain: str) -> str:
    """The name that the record stands at."""
    return f"{CHALLENGE}.{domain}"


def token(key: bytes, tenant_id: UUID, domain: str) -> str:
    """What the record holds, 47 characters."""
    return f"tessera={hmac.digest(key, tenant_id.bytes + domain.encode(), 'sha256').hex()[:39]}"


async def add(tx: TenantTx, domain: str, *, actor: str) -> Domain:
    """Claim a normalized domain; the first look in the DNS is due at once. Raises `Conflict` when the store has it, or too many."""
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM store_domain WHERE tenant_id = $1", tx.tenant_id) >= DOMAINS_MAX:
        raise Conflict(f"A store has at most {DOMAINS_MAX} domains. Remove one first.", code="too_many_domains")
    sql = f"INSERT INTO store_domain (tenant_id, id, domain) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), domain)
    if row is None:
        raise Conflict(f"Your store has {domain} already.", code="domain_exists")
    await tx.audit(actor, "domain.added", encode("dom", row["id"]), domain=domain)
    return Domain(*row)


async def get(tx: TenantTx, domain_id: UUID) -> Domain:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM store_domain WHERE tenant_id = $1 AND id = $2", tx.tenant_id, domain_id):
        return Domain(*row)
    raise no_domain()


async def all_of(tx: TenantTx) -> list[Domain]:
    """A store's domains, oldest first; at most 50."""
    sql = f"SELECT {_COLUMNS} FROM store_domain WHERE tenant_id = $1 ORDER BY id"
    return [Domain(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def ask_again(tx: TenantTx, domain_id: UUID, *, actor: str) -> Domain:
    """Look in the DNS now; a lost domain is pending again. Raises `NotFound`."""
    sql = f"""UPDATE store_domain SET next_try_at = now(), tries = CASE WHEN state = 'lost' THEN 0 ELSE tries END,
                     asked_at = CASE WHEN state = 'lost' THEN now() ELSE asked_at END,
                     failures = CASE WHEN state = 'lost' THEN 0 ELSE failures END,
                     failing_since = CASE WHEN state = 'lost' THEN NULL ELSE failing_since END,
                     state = CASE WHEN state = 'lost' THEN 'pending' ELSE state END
              WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, domain_id)
    if row is None:
        raise no_domain()
    await tx.audit(actor, "domain.check_asked", encode("dom", domain_id))
    return Domain(*row)


async def remove(platform: Pool, pool: Pool, tenant_id: UUID, domain_id: UUID, *, actor: str) -> None:
    """Stop serving the domain and forget the claim. Raises `NotFound`. Cut off in the middle it is not served, and may be removed again."""
    async with tenant_tx(pool, tenant_id) as tx:
        # Who verifies it just now waits for this row, and finds nothing left to serve.
        domain = await tx.conn.fetchval("DELETE FROM store_domain WHERE tenant_id = $1 AND id = $2 RETURNING domain", tenant_id, domain_id)
        if domain is None:
            raise no_domain()
        await tx.audit(actor, "domain.removed", encode("dom", domain_id), domain=domain)
        await hosts.release(platform, domain, tenant_id)


async def verify(verifier: Verifier, pool: Pool, tenant_id: UUID, domain_id: UUID) -> None:
    """The duty of a domain: look for the proof and do what follows from it. What the DNS did not answer changes nothing."""
    async with tenant_tx(pool, tenant_id) as tx:
        # The claim is a lease: whoever comes meanwhile finds it scheduled, and a crash only delays.
        sql = f"""UPDATE store_domain SET next_try_at = now() + {LEASE_S} * interval '1 second', checked_at = now()
                  WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING domain"""
        domain = await tx.conn.fetchval(sql, tenant_id, domain_id)
    if domain is None:
        return
    try:
        texts = await verifier.resolver.texts(challenge(domain))
    except DnsUnavailable as error:
        problem = f"The DNS did not answer ({error}). This is tried again, and counts for nothing."
        await _later(pool, tenant_id, domain_id, TRANSIENT_S, problem)
        return
    if token(verifier.key, tenant_id, domain) not in texts:
        await _missing(verifier, pool, tenant_id, domain_id, domain)
        return
    holder = await _proven(verifier, pool, tenant_id, domain_id, texts)
    if holder is not None:
        # Who had it learns so at his next check, which is due now.
        async with tenant_tx(pool, holder) as tx:
            await tx.conn.execute("UPDATE store_domain SET next_try_at = now() WHERE tenant_id = $1 AND domain = $2", holder, domain)


async def _proven(verifier: Verifier, pool: Pool, tenant_id: UUID, domain_id: UUID, texts: frozenset[str]) -> UUID | None:
    """Serve the domain from now on; who had it before."""
    async with tenant_tx(pool, tenant_id) as tx:
        was = await _lock(tx, domain_id)
        if was is None:
            return None
        domain = was["domain"]
        # Under the row's lock: nothing is served whose claim was removed meanwhile, for nobody would ever look at its proof again.
        ours, holder = await hosts.claim(
            verifier.platform, domain, tenant_id, still_proven=lambda other: token(verifier.key, other, domain) in texts
        )
        if not ours:
            problem = "Another store proves this domain too. Remove its record from the DNS."
            await _schedule(tx, domain_id, AGAIN_S[-1], problem, tries=was["tries"])
            return None
        sql = """UPDATE store_domain SET state = 'active', problem = '', failures = 0, failing_since = NULL, tries = 0, verified_at = now(),
                        next_try_at = now() + $3::float8 * interval '1 second' WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, domain_id, _about(EVERY_S))
        if was["state"] != "active":
            await tx.audit(ACTOR, "domain.verified", encode("dom", domain_id), domain=domain)
        return holder


async def _missing(verifier: Verifier, pool: Pool, tenant_id: UUID, domain_id: UUID, domain: str) -> None:
    """The DNS answered, and the proof is not there."""
    holder = await hosts.holder(verifier.platform, domain)
    async with tenant_tx(pool, tenant_id) as tx:
        was = await _lock(tx, domain_id)
        if was is None:
            return
        if was["state"] == "pending" and was["waited"] < PENDING_FOR:
            wait_s = AGAIN_S[min(was["tries"], len(AGAIN_S) - 1)]
            await _schedule(
                tx, domain_id, wait_s, f"No TXT record with the token was found at {challenge(domain)}.", tries=was["tries"] + 1
            )
            return
        failures = was["failures"] + 1
        lasting = failures >= LOST_AFTER and (was["failing_for"] or dt.timedelta()) >= LOST_OVER
        if was["state"] == "active" and holder == tenant_id and not lasting:
            sql = """UPDATE store_domain SET failures = $3, failing_since = coalesce(failing_since, now()), problem = $4,
                            next_try_at = now() + $5::float8 * interval '1 second' WHERE tenant_id = $1 AND id = $2"""
            problem = "The record with the token is gone. The domain is served on for three days; put the record back."
            await tx.conn.execute(sql, tenant_id, domain_id, failures, problem, _about(FAILING_EVERY_S))
            return
        taken = holder not in (None, tenant_id)
        problem = "Another store has proven this domain." if taken else "The record with the token was not found for days."
        sql = "UPDATE store_domain SET state = 'lost', problem = $3, next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tenant_id, domain_id, problem)
        await tx.audit(ACTOR, "domain.lost", encode("dom", domain_id), domain=domain, problem=problem)
        # Before the commit: should this process die in between, the domain is not served, and the next check finds that and says so.
        await hosts.release(verifier.platform, domain, tenant_id)


async def _lock(tx: TenantTx, domain_id: UUID) -> asyncpg.Record | None:
    sql = """SELECT domain, state, failures, tries, now() - asked_at AS waited, now() - failing_since AS failing_for
             FROM store_domain WHERE tenant_id = $1 AND id = $2 FOR UPDATE"""
    return await tx.conn.fetchrow(sql, tx.tenant_id, domain_id)


async def _later(pool: Pool, tenant_id: UUID, domain_id: UUID, wait_s: float, problem: str) -> None:
    async with tenant_tx(pool, tenant_id) as tx:
        if was := await _lock(tx, domain_id):
            await _schedule(tx, domain_id, wait_s, problem, tries=was["tries"])


async def _schedule(tx: TenantTx, domain_id: UUID, wait_s: float, problem: str, *, tries: int) -> None:
    sql = """UPDATE store_domain SET problem = $3, tries = $4, next_try_at = now() + $5::float8 * interval '1 second'
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, domain_id, problem, tries, _about(wait_s))


def no_domain() -> NotFound:
    return NotFound("There is no such domain.")


def _about(seconds: float) -> float:
    """So that what was proven together is not asked for together."""
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311  jitter, not a secret
