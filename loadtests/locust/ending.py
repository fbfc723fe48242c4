"""What happens when Locust has stopped: the notes are written. The exit code is the judge's to give, not Locust's."""

from typing import Any

from locust import events

from loadtests.locust.running import REHEARSAL


def write_down(environment: Any, **_: Any) -> None:
    """An answer that Locust counts as a failure is one among the figures here, and no exit code."""
    REHEARSAL.end()
    environment.process_exit_code = 0


events.quitting.add_listener(write_down)  # type: ignore[no-untyped-call]  # Locust leaves it without types
