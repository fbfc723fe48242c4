"""`tessera client`: the typed Python client of the API, written anew from the OpenAPI document. For those who change the API."""

import argparse
from pathlib import Path

from api.app import create_app
from api.openapi import document
from checkout_core.config import Settings
from tessera import client

FOLDER = Path(__file__).parents[2] / "loadtests" / "client" / "operations"


def main(argv: list[str]) -> int:
    argparse.ArgumentParser(prog="tessera client", description=__doc__).parse_args(argv)
    files = made()
    for old in FOLDER.glob("*.py"):
        old.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)
    print(f"{len(files)} files in {FOLDER}")
    return 0


def made() -> dict[str, str]:
    """The client's files by name, of the API as it is now."""
    nowhere = Settings(database_url="", redis_url="", arq_redis_url="", secret=bytes(32), environment="test")
    return client.write(document(create_app(nowhere)))
