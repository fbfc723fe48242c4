"""`tessera audit`: prove the audit's chains."""

from tenants.audit.cli import main

__all__ = ["main"]
