"""What every test may ask for, in layers: servers, then what is built on them."""

from tests.servers import servers
from tests.shop import acme, app, client, declared, globex, process, settings

__all__ = ["acme", "app", "client", "declared", "globex", "process", "servers", "settings"]
