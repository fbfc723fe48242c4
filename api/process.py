"""What one API process holds, opened where it starts and closed where it ends. Handlers ask for it as `process`."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from api import listener
from api.callers import Callers
from api.directory import Directory
from api.doors import Doors
from api.erased import Erased
from api.limits import Limits
from api.memory import Memory
from api.viewers import Hub
from checkout_core.admission import Gatekeeper
from checkout_core.batcher import Batcher
from checkout_core.bell import Bell
from checkout_core.config import Settings
from checkout_core.limits import Limiter
from checkout_core.partitions import Partitions
from checkout_core.room import Room
from checkout_core.secrets import derive
from tenants import channels
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.keys import Keyring
from tenants.passwords import Passwords
from tenants.payments.accounts import Providers
from tenants.totp import Seals, Totp
from tenants.warm import warm
from tenants.webhooks.addresses import Dns
from tenants.webhooks.sender import Sender

# With the collector's own (700, 10, 10): 5,650 reservations/s, p99 200 ms; with these, and what is open frozen: 6,240/s, p99 98 ms
# (2 processes, 256 connections, 20,000 units, 2 cores).
GC_THRESHOLDS = (50_000, 20, 50)
# Batches of a sale in one process that may be on their way between gate and commit: while one is committed the next ones are admitted, and
# bind late (`api.lines`). 1: 7,960/s, p50 30 ms; 4: 9,440/s, 25 ms; 8: 9,660/s, 25 ms (medians of four rounds in turns, 2 processes).
FLIGHTS = 4
TEST_SENDS_MAX = 8  # webhooks a process sends at once because a merchant asked for a test
CHANNELS_TTL_S = 1.9
CHANNELS_MAX = 10_000  # stores
PLATFORM_POOL_SIZE = 2  # sign-ups, sign-ins and look-ups that memory could not answer


class Keys(msgspec.Struct, frozen=True):
    """Derived keys, 32 bytes each. `orders` never rotates: a retry across the rotation would buy twice."""

    shoppers: bytes
    orders: bytes
    lookups: bytes
    api_keys: bytes
    csrf: bytes
    domains: bytes
    cursors: bytes
    reminders: bytes

    @classmethod
    def of(cls, secret: bytes) -> "Keys":
        return cls(**{name: derive(secret, name.replace("_", "-")) for name in cls.__struct_fields__})


class Process(msgspec.Struct, frozen=True):
    settings: Settings
    keys: Keys
    app_pool: Pool
    platform_pool: Pool
    redis: Redis
    batcher: Batcher
    doors: Doors
    room: Room
    bell: Bell
    keyring: Keyring
    providers: Providers
    directory: Directory
    callers: Callers
    erased: Erased
    limits: Limits
    passwords: Passwords
    totp: Totp
    staff_seals: Seals
    sender: Sender
    channels: Memory[UUID, frozenset[str]]
    hub: Hub

    async def channels_of(self, tenant_id: UUID) -> frozenset[str]:
        """The codes that new orders of a store may carry; a change is noticed within two seconds."""
        return await self.channels.get(tenant_id) or frozenset()

    def at(self, host: str, path: str) -> str:
        """The absolute address of `path` at a host of a store: by the scheme and port that the platform itself is reached by."""
        public = urlsplit(self.settings.public_url)
        port = f":{public.port}" if public.port else ""
        return f"{'https' if self.secure else 'http'}://{host}{port}{path}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.settings.public_url.startswith("https:") or self.settings.environment == "production"


@asynccontextmanager
async def open_process(settings: Settings) -> AsyncIterator[Process]:
    """Postgres must answer; Redis may be away (ordinary sales never need it). At the end every commit under way is finished first."""
    keys = Keys.of(settings.secret)
    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=0.5, socket_timeout=1)
    app_pool = await create_pool(dsn_for(settings, "tessera_app"), size=settings.db_pool_size, name="tessera-api", warm=warm)
    platform_pool = await create_pool(dsn_for(settings, "tessera_platform"), size=PLATFORM_POOL_SIZE, name="tessera-api-platform")
    bell = Bell(settings.arq_redis_url)
    partitions = await Partitions(settings.redis_url).__aenter__()
    erased = Erased(platform_pool)
    await erased.look()
    room = Room(partitions)
    doors = Doors(app_pool, Gatekeeper(partitions), bell, erased.among, room)
    batcher = Batcher(doors.decide, flights=FLIGHTS)
    directory, callers = Directory(platform_pool, settings.base_domain), Callers(app_pool, platform_pool, keys.api_keys)
    hub = Hub(app_pool, callers, directory)
    listening = [
        asyncio.create_task(listener.listen(settings.redis_url, doors, hub), name="events"),
        asyncio.create_task(hub.run(), name="viewers"),
        asyncio.create_task(erased.watch(), name="erased"),
    ]
    keyring = Keyring(settings.secret, settings.master_keys)
    providers = Providers(settings, app_pool, keyring)
    sender = Sender(connections_max=TEST_SENDS_MAX, loopback=settings.webhook_loopback, resolver=Dns(settings.nameservers))

    async def enabled_channels(tenant_id: UUID) -> frozenset[str]:
        async with tenant_tx(app_pool, tenant_id) as tx:
            return await channels.enabled(tx)

    # What is open by now stays for ever: the collector need not look at it again, nor interrupt a rush to look at what is young.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield Process(
            settings=settings,
            keys=keys,
            app_pool=app_pool,
            platform_pool=platform_pool,
            redis=redis,
            batcher=batcher,
            doors=doors,
            room=room,
            bell=bell,
            keyring=keyring,
            providers=providers,
            directory=directory,
            erased=erased,
            callers=callers,
            hub=hub,
            limits=Limits(Limiter(partitions), settings.ip_limit_factor),
            passwords=Passwords(),
            totp=Totp(settings.secret),
            sender=sender,
            channels=Memory(enabled_channels, ttl_s=CHANNELS_TTL_S, size=CHANNELS_MAX),
            staff_seals=Seals(settings.secret, "platform-totp"),
        )
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await batcher.aclose()
        await doors.aclose()
        await partitions.__aexit__(None, None, None)
        await bell.aclose()
        await providers.aclose()
        await sender.aclose()
        await app_pool.close()
        await platform_pool.close()
        await redis.aclose()
