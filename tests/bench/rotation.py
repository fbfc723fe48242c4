"""Both keys of a store rotated while it sells, imports, reveals and looks codes up: no error, nothing unreadable, no duplicate admitted.

    python -m tests.bench.rotation [--codes 100000]

The minute between two passes is left out (the keys before go as soon as nothing refers to them), and one process is API and worker. Prints
one line of JSON; a wrong answer anywhere ends it with an error.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.shop import PLATFORM_HOST, open_store
from tests.tenants.rotations.busy import Busy


async def measure(settings: Settings, codes: int) -> dict[str, object]:
    await migrate(settings)
    app = create_app(settings)
    async with open_process(settings) as app.state.process:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client:
            busy = Busy(await open_store(client, app.state.process))
            await busy.open(codes)
            figures = await busy.play()
            began = time.perf_counter()
            await busy.judge()
    return {
        "codes": codes, "sealed_anew": figures.renewed, "seconds": round(figures.rotation_s, 1),
        "codes_per_s": round(figures.renewed / figures.rotation_s), **figures.done, "errors": 0,
        "judged_in_s": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder) / "servers", environ={}) as servers:
            settings = Settings(
                database_url=servers.database_url, redis_url=servers.redis_url, arq_redis_url=servers.arq_redis_url,
                secret=b"\x11" * 32, environment="test", public_url=f"http://{PLATFORM_HOST}", ip_limit_factor=10_000,
            )  # fmt: skip
            print(json.dumps(asyncio.run(measure(settings, args.codes))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
