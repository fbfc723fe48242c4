"""What a rehearsal is told, all from the environment."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit


class Settings(NamedTuple):
    """Times in seconds unless the name says otherwise; `t0` is unix time, when the sale opens."""

    target: str  # http(s)://host[:port] of the store's API
    store: str  # the store's slug
    sale: str  # sal_…
    tokens: Path  # shopper tokens, one a line
    folder: Path  # where figures, history and pages go
    t0: float
    shape: str = "sale"
    shoppers: int = 0  # who press, at most as many as there are tokens; 0: all of them
    rate: float = 200.0  # shoppers a second in the spike
    hands: int = 600  # people at the store at the same time, each a connection
    pay_share: float = 0.1  # of the buyers who won, those who pay
    provider: str = ""  # the sandbox provider; unless given, payers use the address they are sent to
    provider_token: str = ""  # of its back office: pays without its page
    timeout: float = 10.0  # for one answer
    patience: float = 60.0  # after the last arrival, and of a payer for his code
    seed: int = 1
    part: int = 0  # this process is `part` of `parts`
    parts: int = 1

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises ValueError, which names the variable."""

        def needed(name: str) -> str:
            if value := environ.get(name):
                return value
            raise ValueError(f"{name} is not set")

        def number(name: str, default: float, least: float = 0.0) -> float:
            text = environ.get(name) or str(default)
            try:
                value = float(text)
            except ValueError:
                raise ValueError(f"{name} is not a number: {text!r}") from None
            if not value >= least:
                raise ValueError(f"{name} is less than {least:g}")
            return value

        target = needed("LOAD_TARGET").rstrip("/")
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
            raise ValueError(f"LOAD_TARGET is not of the form http://host:port: {target!r}")
        return cls(
            target=target,
            store=needed("LOAD_STORE"),
            sale=needed("LOAD_SALE"),
            tokens=Path(needed("LOAD_TOKENS")),
            folder=Path(environ.get("LOAD_FOLDER") or "build/load"),
            t0=number("LOAD_T0", time.time() + 15.0),
            shape=environ.get("LOAD_SHAPE") or "sale",
            shoppers=int(number("LOAD_SHOPPERS", 0)),
            rate=number("LOAD_RATE", 200.0, 0.1),
            hands=int(number("LOAD_HANDS", 600, 8)),
            pay_share=number("LOAD_PAY_SHARE", 0.1),
            provider=environ.get("LOAD_PROVIDER", "").rstrip("/"),
            provider_token=environ.get("SANDBOX_ADMIN_TOKEN", ""),
            timeout=number("LOAD_TIMEOUT_S", 10.0, 0.1),
            patience=number("LOAD_PATIENCE_S", 60.0, 1.0),
            seed=int(number("LOAD_SEED", 1)),
            part=int(number("LOAD_PART", 0)),
            parts=int(number("LOAD_PARTS", 1, 1)),
        )


class Thresholds(NamedTuple):
    """What a rehearsal may not exceed."""

    p99_ms: float = 500.0  # of RESERVE and of SOLD-OUT, each, as shoppers felt it
    error_share: float = 0.001  # of all requests
    lag_ms: float = 50.0  # p99 of the generator's own: beyond it a p99 of the store that is too long says nothing of the store

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises ValueError."""
        return cls(*(float(environ.get(f"LOAD_{name.upper()}") or default) for name, default in cls._field_defaults.items()))
