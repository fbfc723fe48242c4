"""The merchant's console: its built files, and the session a browser has with it.

`route_handlers` is mounted by `api.app`. What the console shows it asks of /v1, as any program does.
"""

from litestar import Router

from api import headers, problems
from api.console import pages, session
from api.guards import anyone
from api.storefront import problems as page_problems
from api.strict import BODY_MAX, StrictRequest

_session = Router(
    "/console",
    route_handlers=[session.show, session.begin, session.end, session.open_sandbox],
    exception_handlers={Exception: problems.answer},
    request_class=StrictRequest,
    request_max_body_size=BODY_MAX,
    response_headers=headers.as_response_headers(headers.API_HEADERS),
    include_in_schema=False,
)

_pages = Router(
    "/console",
    route_handlers=[pages.root, pages.at],
    guards=[anyone],
    exception_handlers={Exception: page_problems.answer},
    include_in_schema=False,
)

route_handlers = [_session, _pages]
