"""The platform's own people as the tests need them: signed in at once, or by the whole way of enrolling."""

from typing import NamedTuple
from uuid import uuid4

import httpx
import pyotp

from api.process import Process
from checkout_core.ids import new_id
from tenants.db import platform_tx
from tenants.platform import staff
from tenants.secret_tokens import hash_of

PASSWORD = "correct horse battery staple"


async def signed_in(process: Process, role: str = "admin") -> dict[str, str]:
    """Headers of a new member of the staff, without the way there: a session is a row."""
    token = f"ps_{uuid4().hex}"
    async with platform_tx(process.platform_pool) as conn:
        sql = "INSERT INTO platform_staff (id, mail, role, enrolled_at) VALUES ($1, $2, $3, now()) RETURNING id"
        staff_id = await conn.fetchval(sql, new_id(), f"{uuid4().hex}@tessera.test", role)
        sql = "INSERT INTO platform_session (token_hash, staff_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')"
        await conn.execute(sql, hash_of(token), staff_id)
    return {"Authorization": f"Bearer {token}"}


class Enrolled(NamedTuple):
    mail: str
    authenticator: pyotp.TOTP


async def enrolled(client: httpx.AsyncClient, process: Process, role: str = "admin") -> Enrolled:
    """Somebody who was added and has enrolled, and may sign in for the first time."""
    mail = f"{uuid4().hex}@tessera.test"
    async with platform_tx(process.platform_pool) as conn:
        made = await staff.add(conn, mail=mail, role=role, actor=staff.COMMAND)
    response = await client.post("/v1/platform/enrolments", json={"enrolment": made.secret, "password": PASSWORD})
    assert response.status_code == 201, response.text
    return Enrolled(mail, pyotp.TOTP(response.json()["totp_secret"]))
