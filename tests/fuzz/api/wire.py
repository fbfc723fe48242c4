"""Requests as Schemathesis would send them, without its way there: a hunt sends hundreds of thousands."""

import http.client
from typing import Self
from urllib.parse import urlsplit

import requests
from schemathesis.core.transport import Response

TIMEOUT_S = 30


class Silence(Exception):
    """No answer, and why."""


class Wire:
    """A connection that is kept, and opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: requests.PreparedRequest, headers: dict[str, str]) -> Response:
        """What `request` is answered with `headers` in place of its own. Raises `Silence`."""
        kept = self._connection.sock is not None
        try:
            return self._send(request, headers)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            # What closes an idle connection has not read what was sent on it.
            if not (kept and isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError))):
                raise Silence(str(error)) from None
        try:
            return self._send(request, headers)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise Silence(str(error)) from None

    def _send(self, request: requests.PreparedRequest, headers: dict[str, str]) -> Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        self._connection.request(request.method or "GET", request.path_url, body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        told: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            told.setdefault(name.lower(), []).append(value)
        return Response(answer.status, told, content, request, 0.0, verify=False, message=answer.reason)
