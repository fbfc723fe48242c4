"""The worker process: the sweep, and the bell that spares it the waiting."""

import argparse
import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence

import uvloop
from redis.asyncio import Redis

from checkout_core.admission import Gatekeeper
from checkout_core.config import Settings
from checkout_core.partitions import Partitions
from checkout_core.secrets import derive
from tenants.audit.anchors import Signer, sink_of
from tenants.db import create_pool, dsn_for
from tenants.domains import Verifier
from tenants.keys import Keyring
from tenants.payments.accounts import Providers
from tenants.privacy.leaving import Hands
from tenants.resolver import StubResolver
from tenants.webhooks.addresses import Dns
from tenants.webhooks.sender import Sender
from workers import anchoring, ears, janitor, retention, rounds, webhooks
from workers.duties import Services
from workers.mails import Mailer
from workers.relay import Relay
from workers.sweep import HANDS, Sweep
from workers.webhooks import Postman

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; then finish what is in hand."""
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_app"), size=2 * HANDS, name="tessera-worker"))
        sweeper = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_sweeper"), size=2, name="tessera-sweeper"))
        platform = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_platform"), size=2, name="tessera-worker"))
        verifier = Verifier(platform, StubResolver(settings.nameservers), derive(settings.secret, "domains"))
        redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
        stack.push_async_callback(redis.aclose)
        keyring = Keyring(settings.secret, settings.master_keys)
        providers = Providers(settings, pool, keyring)
        stack.push_async_callback(providers.aclose)
        sender = Sender(connections_max=webhooks.HANDS, loopback=settings.webhook_loopback, resolver=Dns(settings.nameservers))
        postman = Postman(pool, keyring, sender)
        stack.push_async_callback(postman.aclose)
        partitions = await stack.enter_async_context(Partitions(settings.redis_url))
        services = Services(
            pool,
            providers,
            Relay(pool, redis),
            Gatekeeper(partitions),
            keyring,
            Mailer(settings, pool),
            postman,
            verifier,
            platform,
            settings.reminder_lead_s,
        )
        sweep = Sweep(services, sweeper)
        signer, sink = Signer(settings.secret), sink_of(settings.anchor_dir)
        hands = Hands(
            pool, platform, await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_retention"), size=1)), signer, sink
        )
        work = (
            sweep.run(),
            ears.listen(settings.arq_redis_url, sweep),
            janitor.run(pool, partitions),
            anchoring.run(platform, signer, sink),
            *(rounds.go(each) for each in retention.rounds(hands)),
        )
        tasks = [asyncio.create_task(each) for each in work]
        log.info("worker ready")
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="tessera worker", description="Do the duties: notices, expiries, refunds, events.").parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("arq").setLevel(logging.WARNING)
    uvloop.run(run(Settings.from_env()))
    return 0
