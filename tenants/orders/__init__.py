"""Orders: committed in batches, read, looked up, cancelled, released."""

from tenants.orders.commit import commit_batch
from tenants.orders.read import Line, Order, get, latest, look_up, lookup_hash
from tenants.orders.release import cancel

__all__ = ["Line", "Order", "cancel", "commit_batch", "get", "latest", "look_up", "lookup_hash"]
