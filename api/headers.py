"""Headers that every answer carries. Pages add a content security policy of their own, for what they show."""

from litestar.datastructures import ResponseHeader

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer` browsers send `Origin: null` on our own forms, and the CSRF check could not tell them from others'.
    "Referrer-Policy": "same-origin",
}
API_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
# Not of sub-domains: a store may answer at its merchant's own domain, whose other hosts are none of ours.
HSTS = {"Strict-Transport-Security": "max-age=31536000"}


def as_response_headers(headers: dict[str, str]) -> list[ResponseHeader]:
    return [ResponseHeader(name=name, value=value, documentation_only=False) for name, value in headers.items()]
