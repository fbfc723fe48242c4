"""A receiver and a postman for the tests of this folder."""

from tests.postbox import postbox
from tests.receiver import hook, receiver

__all__ = ["hook", "postbox", "receiver"]
