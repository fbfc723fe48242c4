"""`tessera worker`: one worker process."""

from workers.main import main

__all__ = ["main"]
