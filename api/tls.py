"""For the proxy before the platform: may this host have a certificate? Caddy's on-demand TLS asks so before it gets one."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.directory import host_name
from api.guards import inside
from api.process import Process
from checkout_core.errors import NotFound


@get(
    "/tls/may-issue",
    guards=[inside],
    problems=[403, 404],
    tags=("Platform",),
    operation_id="mayIssueCertificate",
    summary="Whether a host may have a certificate; for the proxy alone",
)
async def may_issue(process: NamedDependency[Process], domain: Annotated[str, QueryParameter(max_length=253)]) -> dict[str, str]:
    host = host_name(domain)
    directory = process.directory
    if host != process.settings.base_domain:
        if not directory.knows(host):
            await process.limits.check(("certificates", "everybody"))
        if not host or not await directory.serves(host):
            raise NotFound("No store answers to this host.", code="no_store")
    return {"domain": host}
