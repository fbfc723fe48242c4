"""What idle connections cost an API process: `python -m tests.bench.idle_connections [COUNT]`. Memory, not time: any machine will do."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tessera.shop import Shop


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


async def measure(port: int, pid: int, count: int) -> tuple[float, float]:
    before = rss_mb(pid)
    opened: list[asyncio.StreamWriter] = []
    try:
        for start in range(0, count, 200):
            some = range(min(200, count - start))
            pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in some))
            for reader, writer in pairs:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await reader.readuntil(b"\r\n\r\n")
                opened.append(writer)
        return before, rss_mb(pid)
    finally:
        for writer in opened:
            writer.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Shop(Path(folder), fsync=False) as shop:
            [pid] = [pid for name, pid in shop.processes.pids.items() if name.startswith("api") and pid]
            before, after = asyncio.run(measure(shop.port, pid, count))
    print(f"{count} idle connections: {before:.0f} MB before, {after:.0f} MB with them, {(after - before) * 1024 / count:.1f} kB each")


if __name__ == "__main__":
    main()
