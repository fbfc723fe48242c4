"""A rehearsal as one story: who sells, who comes, what the checker saw. The people are `loadtests.locust`, a process of its own."""

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from checkout_core.config import Settings
from tenants.db import CONNECTION_LOST
from tenants.invariants.history import BadHistory
from tenants.invariants.look import Options
from tenants.invariants.run import check_now
from tessera.demo.merchant import Merchant
from tessera.keeper import launched
from tessera.shop import Shop

SOURCE = Path(__file__).parents[1]
LOCUST = [sys.executable, "-m", "loadtests.locust"]
TIMEOUT_S = 60.0
STOP_S = 15.0
START_S = 6.0  # from the sale's creation until Locust can let people in
LEADS_S = {"sale": 14.0, "crowd": 14.0, "spike": 8.0, "tail": 0.0}  # people come so long before T0; the plan of the load tests says it too


class Unplayable(Exception):
    """The rehearsal could not be held; the message says why."""


class Stage(NamedTuple):
    """Where it happens. `environ` may look behind the store: tokens are made and the checker runs with it."""

    target: str
    store: str
    sale: str
    t0: float | None  # unix seconds; None: as soon as can be
    provider: str
    provider_token: str
    environ: Mapping[str, str]
    pids: Mapping[str, int | None] = {}  # of its processes, when they are on this machine


def open_store(shop: Shop, units: int, shape: str) -> Stage:
    """A store in `shop` with one flash sale of `units`, which opens when those who come early have come.

    Raises `merchant.Failed` and `Unplayable`.
    """
    owner = Merchant(shop.api_url, shop.mail_url, shop.provider_url, shop.provider.admin_token)
    try:
        store = owner.open_store(limit=1)
    finally:
        owner.close()
    headers = {"Authorization": f"Bearer {store.api_key}"}
    with httpx.Client(base_url=shop.api_url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as api:

        def made(path: str, document: dict[str, Any]) -> str:
            response = api.post(path, json=document)
            if not response.is_success:
                raise Unplayable(f"{path} was answered {response.status_code}: {response.text[:300]}")
            return str(response.json()["id"])

        product = made("/v1/products", {"name": "Rehearsal"})
        sku = made("/v1/skus", {"product_id": product, "name": "one code", "price_minor": 9900, "currency": "CNY"})
        codes = "".join(f"{secrets.token_hex(8).upper()}\n" for _ in range(units))
        file = {"Content-Type": "text/plain", "X-Filename": "rehearsal.txt"}
        loaded = api.post("/v1/vault/imports", params={"sku_id": sku, "source": "rehearsal"}, headers=file, content=codes.encode())
        if not loaded.is_success or loaded.json()["loaded"] != units:
            raise Unplayable(f"the codes were not loaded: {loaded.status_code} {loaded.text[:300]}")
        t0 = time.time() + START_S + LEADS_S[shape]
        sale = made("/v1/sales", {
            "sku_id": sku, "name": "Rehearsal", "units": units, "limit_per_shopper": 1, "hold_s": 900, "door": "gate",
            "starts_at": dt.datetime.fromtimestamp(t0, dt.UTC).isoformat(),
        })  # fmt: skip
    pids = {**shop.processes.pids, **shop.servers.pids}
    return Stage(shop.api_url, store.slug, sale, t0, shop.provider_url, shop.provider.admin_token, shop.environ, pids)


def make_tokens(environ: Mapping[str, str], store: str, count: int, file: Path) -> None:
    """As `tessera tokens` does; readable by their owner only. Raises `Unplayable`."""
    line = [sys.executable, "-m", "tessera", "tokens", "--store", store, "--count", str(count)]
    with open(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        made = subprocess.run(line, env=dict(environ), cwd=SOURCE, stdout=out, stderr=subprocess.PIPE, check=False)
    if made.returncode:
        raise Unplayable(made.stderr.decode(errors="replace").strip()[-2000:])


def people(stage: Stage, folder: Path, tokens: Path, wishes: Mapping[str, str]) -> None:
    """Let them come; their notes are in `folder` afterwards. Raises `Unplayable`."""
    environ = {
        **os.environ,
        "LOAD_TARGET": stage.target,
        "LOAD_STORE": stage.store,
        "LOAD_SALE": stage.sale,
        "LOAD_TOKENS": str(tokens.absolute()),
        "LOAD_PROVIDER": stage.provider,
        "SANDBOX_ADMIN_TOKEN": stage.provider_token,
        "LOAD_FOLDER": str(folder.absolute()),
        "LOAD_PIDS": " ".join(f"{name}={pid}" for name, pid in stage.pids.items() if pid),
        **wishes,
    }
    if stage.t0 is not None:
        environ["LOAD_T0"] = str(stage.t0)
    # A session of its own: Ctrl-C in a terminal reaches us alone, and we end it in order.
    process = subprocess.Popen(launched([*LOCUST, "run"]), cwd=SOURCE, env=environ, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_S)
    if code:
        raise Unplayable(f"the load generator ended with code {code}; its logs are in {folder}")


def check(stage: Stage, folder: Path, *, at_rest_within_s: float) -> Path | None:
    """The checker's report as a file; None when the store's database is not ours to look into. Raises `Unplayable`."""
    try:
        settings = Settings.from_env(stage.environ)
    except ValueError:
        return None
    url = stage.provider or settings.provider_url
    options = Options(
        at_rest=at_rest_within_s > 0,
        wait_s=at_rest_within_s,
        history=str(folder / "history.jsonl"),
        provider_url=url if stage.provider_token else "",
        provider_token=stage.provider_token,
    )
    try:
        report = check_now(settings, options)
    except (*CONNECTION_LOST, BadHistory, OSError) as problem:
        raise Unplayable(f"the checker could not look: {problem or type(problem).__name__}") from problem
    file = folder / "check.json"
    file.write_text(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def judge(folder: Path, checker: Path | None, limits: Mapping[str, str]) -> int:
    """Print the verdict and write the page. 0: nothing was exceeded; 1: something was; 3: the generator was too slow to say.

    Raises `Unplayable` when the judge fails.
    """
    line = [*LOCUST, "judge", *([f"--checker={checker.absolute()}"] if checker else [])]
    environ = {**os.environ, "LOAD_FOLDER": str(folder.absolute()), **limits}
    code = subprocess.run(line, cwd=SOURCE, env=environ, check=False).returncode
    if code not in (0, 1, 3):
        raise Unplayable(f"the judge ended with code {code}")
    return code
