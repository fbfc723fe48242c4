"""Settings, read once from the environment where a process starts and handed down from there."""

import os
import re
from collections.abc import Mapping

import msgspec

ENVIRONMENTS = ("production", "demo", "test")
_SENDER = re.compile(r"[^<>\x00-\x1f]*<[!-?A-~]+@[A-Za-z0-9.-]+>|[!-?A-~]+@[A-Za-z0-9.-]+")
_MASTER_KEY = re.compile(r"0|(?:[1-9][0-9]{0,3}|[12][0-9]{4}|3[01][0-9]{3}|32[0-6][0-9]{2}|327[0-5][0-9]|3276[0-7]):[0-9a-fA-F]{64}")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is the root of every derived key (32 bytes); losing it loses the codes, so back it up apart from the data."""

    database_url: str
    redis_url: str
    arq_redis_url: str
    secret: bytes
    master_keys: tuple[tuple[int, bytes], ...] = ()  # by id, which wrap tenants' keys; the last does so anew, 0 follows from `secret`
    environment: str = "production"
    base_domain: str = "localhost"
    public_url: str = ""
    provider_url: str = ""
    provider_token: str = ""  # of its back office, which opens test accounts; without it merchants bring their own
    trusted_proxies: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()  # recursive ones, asked for domains' proofs and webhooks' hosts; the system's unless given
    db_pool_size: int = 8
    import_bytes_max: int = 1 << 30
    smtp_url: str = ""
    mail_from: str = "Tessera <no-reply@localhost>"
    webhook_loopback: bool = False  # webhooks may go to this machine, without TLS; never in production
    anchor_dir: str = ""  # where the heads of the audit's chains are kept; the log when empty
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
        webhook_loopback = env.get("TESSERA_WEBHOOK_LOOPBACK", "") not in ("", "0")
        if webhook_loopback and environment == "production":
            raise ValueError("TESSERA_WEBHOOK_LOOPBACK lets merchants reach this machine and is refused in production.")
        secret = bytes.fromhex(need("TESSERA_SECRET"))
        if len(secret) != 32:
            raise ValueError("TESSERA_SECRET must be 32 bytes in hex (64 digits).")
        smtp_url = env.get("SMTP_URL", "")
        if smtp_url and not smtp_url.startswith(("smtp://", "smtps://")):
            raise ValueError("SMTP_URL is smtp://user:password@host:port, or smtps://….")
        mail_from = env.get("TESSERA_MAIL_FROM", "Tessera <no-reply@localhost>")
        if not _SENDER.fullmatch(mail_from):
            raise ValueError("TESSERA_MAIL_FROM is an address, or `Name <address>`.")
        return cls(
            database_url=need("DATABASE_URL"),
            redis_url=need("REDIS_URL"),
            arq_redis_url=env.get("ARQ_REDIS_URL") or need("REDIS_URL"),
            secret=secret,
            master_keys=_master_keys(env.get("TESSERA_MASTER_KEYS", "")),
            environment=environment,
            base_domain=env.get("TESSERA_BASE_DOMAIN", "localhost"),
            public_url=env.get("TESSERA_PUBLIC_URL", ""),
            provider_url=env.get("TESSERA_PROVIDER_URL", ""),
            provider_token=env.get("TESSERA_PROVIDER_ADMIN_TOKEN", ""),
            trusted_proxies=tuple(filter(None, env.get("TESSERA_TRUSTED_PROXIES", "").split(","))),
            nameservers=tuple(filter(None, env.get("TESSERA_NAMESERVERS", "").split(","))),
            db_pool_size=int(env.get("TESSERA_DB_POOL_SIZE", "8")),
            import_bytes_max=int(env.get("TESSERA_IMPORT_BYTES_MAX", str(1 << 30))),
            smtp_url=smtp_url,
            mail_from=mail_from,
            webhook_loopback=webhook_loopback,
            anchor_dir=env.get("TESSERA_ANCHOR_DIR", ""),
            ip_limit_factor=int(env.get("TESSERA_IP_LIMIT_FACTOR", "1")),
        )


def _master_keys(text: str) -> tuple[tuple[int, bytes], ...]:
    """`ID:HEX,…`; a bare `0` is the one that follows from TESSERA_SECRET. Raises `ValueError`, which shows no key."""
    found: dict[int, bytes] = {}
    for each in filter(None, text.split(",")):
        master_id, _, key = each.strip().partition(":")
        if not _MASTER_KEY.fullmatch(each.strip()):
            raise ValueError(
                "TESSERA_MASTER_KEYS is ID:HEX,… with an id of 1 to 32767 and 32 bytes in hex each, or 0 alone: see docs/keys.md."
            )
        if int(master_id) in found:
            raise ValueError(f"TESSERA_MASTER_KEYS lists the id {master_id} twice.")
        found[int(master_id)] = bytes.fromhex(key)
    return tuple(found.items())
