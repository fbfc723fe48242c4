"""`tessera COMMAND`: finds the command's module and hands it the rest of the line.

A command is a module of `tessera.commands` with `main(argv) -> int`. Only the one named is imported, so that starting the
servers does not wait for the web framework.
"""

import resource
import sys
from importlib import import_module

COMMANDS = {
    "demo": "sell real codes to thousands of shoppers on this machine, report, then serve the store",
    "up": "everything a store needs, for local work: servers, schema, API, worker, sandbox provider",
    "servers": "an embedded Postgres and Valkey in the foreground",
    "migrate": "bring the database's schema up to date",
    "api": "one API process",
    "worker": "one worker process",
    "platform-staff": "add one of the platform's own people, or let one enrol anew",
    "keys": "master keys: which are in use, and wrapping all data keys by the newest",
    "import": "a file of codes into a store's vault, with a progress bar",
    "tokens": "shopper tokens in bulk, for load tests",
    "client": "the typed client of the API, written anew from its document",
    "console": "the merchant's console, built into build/console",
    "load": "rehearse a sale with thousands of shoppers, here or elsewhere, and judge it",
    "check": "prove the invariants on the live store",
    "audit": "prove that nobody changed the audit, or anchor its chains now",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 well, 1 failed, 2 misused."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help", "help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"tessera: there is no command {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    raise_file_limit()
    code: int = import_module(f"tessera.commands.{name.replace('-', '_')}").main(rest)
    return code


def usage() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    return f"Usage: tessera COMMAND [ARGUMENT...]\n\n{commands}\n\n`tessera COMMAND --help` tells more."


def raise_file_limit() -> None:
    """Let this process and its children open as many files as the machine allows: each shopper is an open socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
