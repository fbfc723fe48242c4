"""The sandbox provider for the tests of this folder."""

from tests.provider import merchant, other_merchant, sandbox, sandbox_process, sink

__all__ = ["merchant", "other_merchant", "sandbox", "sandbox_process", "sink"]
