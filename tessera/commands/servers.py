"""`tessera servers`: an embedded Postgres and Valkey in the foreground, until SIGTERM or Ctrl-C."""

import argparse
import json
from pathlib import Path

from tessera.embedded import Servers
from tessera.until import until_signalled


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera servers", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".tessera/servers"), help="where the data lives (%(default)s)")
    parser.add_argument("--no-fsync", dest="fsync", action="store_false", help="faster; a crash of the machine loses data")
    args = parser.parse_args(argv)
    with until_signalled() as wait, Servers(args.folder, fsync=args.fsync) as servers:
        print(json.dumps({**servers.environment, "pids": servers.pids}), flush=True)
        wait()
    return 0
