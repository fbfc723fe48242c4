"""`tessera api`: one API process."""

from api.server import main

__all__ = ["main"]
