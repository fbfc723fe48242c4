"""`tessera check`: prove the invariants on the live store."""

from tenants.invariants.cli import main

__all__ = ["main"]
