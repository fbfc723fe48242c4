"""Every answer that any test of the API gets is held against the OpenAPI document."""

import re
from typing import Any

import httpx
from litestar import Litestar

from api.openapi import document
from api.problems import MEDIA_TYPE


class Declared:
    """An event hook of httpx: the answer's status and content type are ones that the document declares for the operation."""

    def __init__(self, app: Litestar) -> None:
        self.document = document(app)
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations) for path, operations in self.document["paths"].items()]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None

    async def __call__(self, response: httpx.Response) -> None:
        operation = self.operation(response.request.method, response.request.url.path)
        if operation is None:
            return
        name = f"{operation['operationId']} answers {response.status_code}"
        declared = operation["responses"].get(str(response.status_code))
        assert declared is not None, f"{name}, which is not declared"
        content = declared.get("content") or {}
        media_type = response.headers.get("content-type", "").partition(";")[0]
        assert media_type in content or not content, f"{name} as {media_type}, which is not declared"
        if response.status_code >= 400 and operation["operationId"] != "readyz":
            await response.aread()
            problem = response.json()
            assert media_type == MEDIA_TYPE
            assert problem["status"] == response.status_code
            assert {"type", "title", "detail", "code"} <= problem.keys(), name
