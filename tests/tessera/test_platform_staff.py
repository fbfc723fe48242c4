"""`tessera platform-staff`: the first admin comes from the command line, and goes on through the API."""

import asyncio
import os
import re
import subprocess
import sys
from uuid import uuid4

import httpx
import pyotp

from checkout_core.config import Settings
from tessera.embedded import Servers
from tests.platform import PASSWORD


async def command(servers: Servers, settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**servers.environment, "TESSERA_ENV": "test", "TESSERA_SECRET": settings.secret.hex(), "DATABASE_URL": settings.database_url}
    line = [sys.executable, "-m", "tessera", "platform-staff", *arguments]
    return await asyncio.to_thread(subprocess.run, line, env={**environ, "PATH": os.defpath}, capture_output=True, text=True, check=False)


async def test_adds_somebody_who_enrols_and_signs_in(servers: Servers, settings: Settings, client: httpx.AsyncClient) -> None:
    mail = f"{uuid4().hex}@tessera.test"
    added = await command(servers, settings, "add", mail)
    assert added.returncode == 0, added.stderr
    [secret] = re.findall(r"^  (pe_\S+)$", added.stdout, re.MULTILINE)
    again = await command(servers, settings, "add", mail)
    assert (again.returncode, again.stdout) == (1, "")
    renewed = await command(servers, settings, "renew", mail)
    [newer] = re.findall(r"^  (pe_\S+)$", renewed.stdout, re.MULTILINE)
    assert (await client.post("/v1/platform/enrolments", json={"enrolment": secret, "password": PASSWORD})).status_code == 401
    enrolled = await client.post("/v1/platform/enrolments", json={"enrolment": newer, "password": PASSWORD})
    code = pyotp.TOTP(enrolled.json()["totp_secret"]).now()
    session = await client.post("/v1/platform/sessions", json={"mail": mail, "password": PASSWORD, "totp": code})
    assert session.status_code == 201
    staff = await client.get("/v1/platform/staff", headers={"Authorization": f"Bearer {session.json()['token']}"})
    assert (mail, "admin") in [(each["mail"], each["role"]) for each in staff.json()["staff"]]


async def test_a_mail_that_is_nobodys(servers: Servers, settings: Settings) -> None:
    done = await command(servers, settings, "renew", "nobody@tessera.test")
    assert done.returncode == 1
    assert "Nobody of the platform's staff" in done.stderr
