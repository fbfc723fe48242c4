"""Orders: committed in batches, read, looked up, cancelled, released."""

from tenants.orders.commit import commit_batch
from tenants.orders.find import Asked, latest
from tenants.orders.read import Line, Order, get, look_up, lookup_hash, no_match
from tenants.orders.release import cancel

__all__ = ["Asked", "Line", "Order", "cancel", "commit_batch", "get", "latest", "look_up", "lookup_hash", "no_match"]
