"""`tessera platform-staff add MAIL [--role ROLE]`: one of the platform's own people, and what he enrols with, printed once.

The first admin is made here; he can add others by the API. For somebody who is there already `renew` makes a new enrolment and ends what he
signed in with so far: for a lost authenticator.
"""

import argparse
import asyncio
import sys

from checkout_core.config import Settings
from checkout_core.errors import AppError
from checkout_core.ids import encode
from tenants.db import create_pool, dsn_for, platform_tx
from tenants.platform import staff
from tenants.platform.permissions import ROLES


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tessera platform-staff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=["add", "renew"])
    parser.add_argument("mail")
    parser.add_argument("--role", choices=sorted(ROLES), default="admin", help="of somebody new (%(default)s)")
    args = parser.parse_args(argv)
    try:
        settings = Settings.from_env()
        made = asyncio.run(enrolment(settings, args.act, args.mail, args.role))
    except (ValueError, AppError) as error:
        print(f"tessera platform-staff: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    print(f"{encode('pst', made.staff_id)} may enrol until {made.ends_at:%Y-%m-%d %H:%M %Z} with\n\n  {made.secret}\n")
    print(f"at POST {settings.public_url}/v1/platform/enrolments. It is not shown again.")
    return 0


async def enrolment(settings: Settings, act: str, mail: str, role: str) -> staff.Enrolment:
    """Raises `Conflict` for a mail that is there already, `NotFound` for one that is not."""
    pool = await create_pool(dsn_for(settings, "tessera_platform"), size=1, name="tessera-platform-staff")
    async with pool, platform_tx(pool) as conn:
        if act == "add":
            return await staff.add(conn, mail=mail, role=role, actor=staff.COMMAND)
        return await staff.renew(conn, mail=mail, actor=staff.COMMAND)
