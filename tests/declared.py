"""Every answer that any test of the API gets is held against the OpenAPI document."""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
import msgspec
from litestar import Litestar

from api.openapi import document, resolved
from api.problems import MEDIA_TYPE


class Declared:
    """An event hook of httpx: the answer is as the document declares it for the operation, by status, content type, headers and body."""

    def __init__(self, app: Litestar) -> None:
        self.document = document(app)
        # A path without parameters comes before one that would take its last word for an id.
        paths = sorted(self.document["paths"].items(), key=lambda item: item[0].count("{"))
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations) for path, operations in paths]
        self.validator = cache(self._validator)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        return None

    def _validator(self, schema: bytes) -> Any:
        """Of a schema in the document, given as JSON."""
        components = {"components": {"schemas": self.document["components"]["schemas"]}}
        return jsonschema_rs.Draft202012Validator(msgspec.json.decode(schema) | components, validate_formats=True)

    async def __call__(self, response: httpx.Response) -> None:
        operation = self.operation(response.request.method, response.request.url.path)
        if operation is None:
            return
        name = f"{operation['operationId']} answers {response.status_code}"
        assert str(response.status_code) in operation["responses"], f"{name}, which is not declared"
        declared = resolved(self.document, operation["responses"][str(response.status_code)])
        for header, of in declared["headers"].items():
            assert header in response.headers or not resolved(self.document, of)["required"], f"{name} without {header}"
        content = declared.get("content") or {}
        media_type = response.headers.get("content-type", "").partition(";")[0]
        assert media_type in content or not content, f"{name} as {media_type}, which is not declared"
        if media_type.endswith("json") and content:
            await response.aread()
            body = response.json()
            wrong = [error.message for error in self.validator(msgspec.json.encode(content[media_type]["schema"])).iter_errors(body)]
            assert wrong == [], f"{name} with another body than is declared: {wrong}"
            if media_type == MEDIA_TYPE:
                assert body["status"] == response.status_code, name
