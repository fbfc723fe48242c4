"""A typed client of the API. What there is to ask is in `operations`, written by `make client` from the OpenAPI document."""

from loadtests.client.core import AsyncClient, Call, Client, Pages, Problem, new_key

__all__ = ["AsyncClient", "Call", "Client", "Pages", "Problem", "new_key"]
