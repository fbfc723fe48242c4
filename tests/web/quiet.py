"""When a page has fetched all it wants. A stream of events is no end of fetching: whoever listens to one is never idle for the browser."""

import time

from playwright.sync_api import Page as Tab
from playwright.sync_api import Request

STREAMS = ("/v1/events",)
QUIET_S = 0.15  # nothing under way for so long: what is fetched next is asked for within a frame of what came
LOOK_MS = 25


class Quiet:
    """Notes what a tab fetches from now on."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._under_way: set[Request] = set()
        self._since = time.monotonic()
        tab.on("request", self._began)
        tab.on("requestfinished", self._ended)
        tab.on("requestfailed", self._ended)

    def wait(self, most_s: float = 5.0) -> None:
        """Until nothing has been under way for a moment; after `most_s` the page is taken as it is."""
        ending = time.monotonic() + most_s
        self._tab.wait_for_timeout(LOOK_MS)  # what has happened is heard meanwhile
        while time.monotonic() < ending and (self._under_way or time.monotonic() - self._since < QUIET_S):
            self._tab.wait_for_timeout(LOOK_MS)

    def _began(self, request: Request) -> None:
        if not request.url.partition("?")[0].endswith(STREAMS):
            self._under_way.add(request)
            self._since = time.monotonic()

    def _ended(self, request: Request) -> None:
        self._under_way.discard(request)
        self._since = time.monotonic()
