"""`tessera up`: servers, schema, sandbox provider, mail catcher, API and worker on this machine, until SIGTERM or Ctrl-C."""

import argparse
from pathlib import Path

from tessera.published import for_shells
from tessera.shop import Shop
from tessera.until import until_signalled


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera up", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".tessera"), help="data, logs and the secret (%(default)s)")
    parser.add_argument("--apis", type=int, default=1, help="API processes (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="of the API; a free one unless given")
    args = parser.parse_args(argv)
    with until_signalled() as wait, Shop(args.folder, apis=args.apis, port=args.port) as shop, for_shells(shop, args.folder) as line:
        print(f"API and store  {shop.api_url}")
        print(f"Console        {shop.api_url}/console")
        print(f"Provider       {shop.provider_url}")
        print(f"Mail           {shop.mail_url}/mails")
        print(f"Database       {shop.servers.database_url}")
        print(f"Logs           {shop.processes.folder}")
        print(f"In a shell     {line}")
        print("               sets API, MAIL, PROVIDER and PROVIDER_TOKEN, as docs/guides/first-store.md uses them", flush=True)
        wait()
    return 0
