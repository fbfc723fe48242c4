"""Settings, read once from the environment where a process starts and handed down from there."""

import os
from collections.abc import Mapping

import msgspec

ENVIRONMENTS = ("production", "demo", "test")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is the root of every derived key (32 bytes); losing it loses the codes, so back it up apart from the data."""

    database_url: str
    redis_url: str
    arq_redis_url: str
    secret: bytes
    environment: str = "production"
    base_domain: str = "localhost"
    public_url: str = ""
    provider_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    db_pool_size: int = 8
    import_bytes_max: int = 1 << 30
    ip_limit_factor: int = 1  # multiplies what one address may ask of anonymous routes in a while

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read `env`. Raises `ValueError` naming the variable that is missing or wrong."""

        def need(name: str) -> str:
            if not env.get(name):
                raise ValueError(f"{name} is not set: see docs/configuration.md.")
            return env[name]

        environment = env.get("TESSERA_ENV", "production")
        if environment not in ENVIRONMENTS:
            raise ValueError(f"TESSERA_ENV is {environment!r}; it is one of {', '.join(ENVIRONMENTS)}.")
        if environment != "test":
            for name in ("TESSERA_UNSAFE", "TESSERA_FAILPOINT"):
                if env.get(name):
                    raise ValueError(f"{name} removes safeties and is refused unless TESSERA_ENV=test.")
        secret = bytes.fromhex(need("TESSERA_SECRET"))
        if len(secret) != 32:
            raise ValueError("TESSERA_SECRET must be 32 bytes in hex (64 digits).")
        return cls(
            database_url=need("DATABASE_URL"),
            redis_url=need("REDIS_URL"),
            arq_redis_url=env.get("ARQ_REDIS_URL") or need("REDIS_URL"),
            secret=secret,
            environment=environment,
            base_domain=env.get("TESSERA_BASE_DOMAIN", "localhost"),
            public_url=env.get("TESSERA_PUBLIC_URL", ""),
            provider_url=env.get("TESSERA_PROVIDER_URL", ""),
            trusted_proxies=tuple(filter(None, env.get("TESSERA_TRUSTED_PROXIES", "").split(","))),
            db_pool_size=int(env.get("TESSERA_DB_POOL_SIZE", "8")),
            import_bytes_max=int(env.get("TESSERA_IMPORT_BYTES_MAX", str(1 << 30))),
            ip_limit_factor=int(env.get("TESSERA_IP_LIMIT_FACTOR", "1")),
        )
