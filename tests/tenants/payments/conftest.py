"""The sandbox provider and an account at it for the tests of this folder."""

from tests.provider import merchant, other_merchant, sandbox, sandbox_process, sink
from tests.tenants.payments.accounts import client, provider

__all__ = ["client", "merchant", "other_merchant", "provider", "sandbox", "sandbox_process", "sink"]
