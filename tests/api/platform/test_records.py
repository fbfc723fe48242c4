"""The platform's record over HTTP."""

import httpx
import pytest

from api.process import Process
from tests.platform import signed_in


class TestList:
    @pytest.mark.parametrize("nobody", ["", "x", "ten_"])
    async def test_of_what_is_no_merchant(self, client: httpx.AsyncClient, process: Process, nobody: str) -> None:
        """An id that is empty is no reason to show the record of all."""
        admin = await signed_in(process)
        response = await client.get(f"/v1/platform/records?merchant_id={nobody}", headers=admin)
        assert response.status_code == 404
