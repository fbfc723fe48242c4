"""The heads of the audit's chains that moved are anchored every minute, outside the database."""

import asyncio

from tenants.audit.anchors import Signer, Sink, anchor
from tenants.db import Pool
from workers import rounds
from workers.rounds import Round

EVERY_S = 60.0


async def run(platform: Pool, signer: Signer, sink: Sink) -> None:
    """Anchor until cancelled, and once more then: what was linked last is not left to the next start."""
    heads = Round("anchoring the audit's heads", lambda: anchor(platform, signer, sink), EVERY_S, first_s=EVERY_S)
    try:
        await rounds.go(heads)
    finally:
        await asyncio.shield(rounds.once(heads))
