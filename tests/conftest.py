"""What every test may ask for, in layers: servers, then what is built on them."""

from tests.servers import servers

__all__ = ["servers"]
