"""The console as browsers get it: its page and files, the session in a cookie, and test mode."""

import re
from pathlib import Path

import httpx
import pytest

from api.console import built
from tests.shop import PASSWORD, Store

PAGE = '<html><meta property="csp-nonce" nonce="__NONCE__"><script src="/console/assets/a.js" nonce="__NONCE__"></script></html>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console that was built."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "assets" / "a.js").write_text("console.log(1)")
    (tmp_path / "assets" / "a.js.gz").write_bytes(b"zipped")
    monkeypatch.setattr(built, "FOLDER", tmp_path)
    return tmp_path


async def sign_in(client: httpx.AsyncClient, store: Store, **more: str) -> httpx.Response:
    return await client.post("/console/session", json={"mail": store.mail, "password": PASSWORD} | more)


@pytest.fixture
async def proof(client: httpx.AsyncClient, acme: Store) -> dict[str, str]:
    """The owner's browser is signed in: what it sends with a change."""
    return {"X-CSRF-Token": (await sign_in(client, acme)).json()["csrf"]}


class TestPage:
    @pytest.mark.parametrize("path", ["/console", "/console/", "/console/orders/ord_1", "/console/sign-up"])
    async def test_every_address_is_the_one_page(self, client: httpx.AsyncClient, folder: Path, path: str) -> None:
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "assets/a.js" in answer.text
        assert answer.headers["cache-control"] == "no-store"

    async def test_its_nonce_is_new_each_time_and_the_policys(self, client: httpx.AsyncClient, folder: Path) -> None:
        answers = [await client.get("/console") for _ in range(2)]
        nonces = [re.findall(r'nonce="([^"]+)"', answer.text) for answer in answers]
        assert nonces[0][0] != nonces[1][0]
        for answer, [nonce, other] in zip(answers, nonces, strict=True):
            policy = answer.headers["content-security-policy"]
            assert nonce == other
            assert f"style-src 'self' 'nonce-{nonce}';" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy

    async def test_files_are_kept_for_a_year_and_sent_as_they_were_compressed(self, client: httpx.AsyncClient, folder: Path) -> None:
        plain = await client.get("/console/assets/a.js", headers={"accept-encoding": "identity"})
        assert (plain.text, plain.headers["content-type"]) == ("console.log(1)", "text/javascript; charset=utf-8")
        assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
        async with client.stream("GET", "/console/assets/a.js", headers={"accept-encoding": "gzip"}) as zipped:
            assert zipped.headers["content-encoding"] == "gzip"
            assert b"".join([part async for part in zipped.aiter_raw()]) == b"zipped"

    @pytest.mark.parametrize("path", ["/console/assets/gone.js", "/console/assets/../index.html/x", "/console/assets/%2e%2e/secret"])
    async def test_a_file_that_is_not_there_is_not_the_page(self, client: httpx.AsyncClient, folder: Path, path: str) -> None:
        answer = await client.get(path)
        assert "assets/a.js" not in answer.text or answer.status_code == 200
        assert (await client.get("/console/assets/gone.js")).status_code == 404

    async def test_a_new_build_is_served_at_once(self, client: httpx.AsyncClient, folder: Path) -> None:
        await client.get("/console")
        (folder / "index.html").unlink()
        (folder / "index.html").write_text("<html>another</html>")
        assert "another" in (await client.get("/console")).text

    async def test_before_it_is_built_it_says_how(self, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(built, "FOLDER", tmp_path)
        answer = await client.get("/console")
        assert answer.status_code == 503
        assert "make console" in answer.text

    async def test_a_stores_host_does_not_serve_it(self, client: httpx.AsyncClient, folder: Path, acme: Store) -> None:
        for path in ("/console", "/console/assets/a.js", "/console/session"):
            assert (await client.get(path, headers={"host": acme.host})).status_code == 404
        assert (
            await client.post("/console/session", json={"mail": acme.mail, "password": PASSWORD}, headers={"host": acme.host})
        ).status_code == 404


class TestSession:
    async def test_without_one(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/console/session")
        assert answer.status_code == 200
        assert (answer.json()["who"], answer.json()["store"], answer.json()["permissions"]) == (None, None, [])

    async def test_begun_it_tells_who_and_where_and_hides_its_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await sign_in(client, acme)
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        token = client.cookies["tessera_session"]
        shown = (await client.get("/console/session")).json()
        assert token not in answer.text
        assert (shown["who"]["mail"], shown["store"]["slug"], shown["mode"]) == (acme.mail, acme.slug, "live")
        assert "staff:write" in shown["permissions"]
        assert shown["store"]["url"].startswith(f"http://{acme.host}")

    async def test_a_wrong_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.post("/console/session", json={"mail": acme.mail, "password": "not this one"})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("headers", [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}])
    async def test_another_sites_page_signs_nobody_in(self, client: httpx.AsyncClient, acme: Store, headers: dict[str, str]) -> None:
        answer = await client.post("/console/session", json={"mail": acme.mail, "password": PASSWORD}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")

    async def test_it_asks_the_api_and_changes_nothing_without_its_proof(self, client: httpx.AsyncClient, proof: dict[str, str]) -> None:
        assert (await client.get("/v1/staff")).status_code == 200
        role = {"name": "night", "permissions": ["orders:read"]}
        assert (await client.post("/v1/roles", json=role)).json()["code"] == "csrf"
        assert (await client.post("/v1/roles", json=role, headers=proof)).status_code == 201

    async def test_ended_it_is_over_at_once(self, client: httpx.AsyncClient, proof: dict[str, str]) -> None:
        assert (await client.delete("/console/session")).status_code == 403
        token = client.cookies["tessera_session"]
        assert (await client.delete("/console/session", headers=proof)).status_code == 200
        again = await client.get("/v1/staff", headers={"authorization": f"Bearer {token}"})
        assert again.status_code == 401

    async def test_a_bearer_has_no_session_here(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.delete("/console/session", headers=acme.merchant)).status_code == 401


TEST = {"X-Tessera-Mode": "test"}


class TestTestMode:
    async def test_before_there_is_a_sandbox(self, client: httpx.AsyncClient, proof: dict[str, str]) -> None:
        answer = await client.get("/v1/products", headers=TEST)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_sandbox")
        assert (await client.get("/console/session", headers=TEST)).json()["mode"] == "live"

    async def test_what_is_made_in_it_is_the_sandboxs(self, client: httpx.AsyncClient, acme: Store, proof: dict[str, str]) -> None:
        for _ in range(2):
            assert (await client.post("/console/sandbox", json={}, headers=proof)).status_code == 204
        shown = (await client.get("/console/session", headers=TEST)).json()
        assert (shown["mode"], shown["has_sandbox"]) == ("test", True)
        assert shown["store"]["slug"] != acme.slug
        made = await client.post("/v1/products", json={"name": "try me"}, headers=proof | TEST)
        assert made.status_code == 201, made.text
        assert [each["name"] for each in (await client.get("/v1/products", headers=TEST)).json()["products"]] == ["try me"]
        assert (await client.get("/v1/products")).json()["products"] == []
        assert (await client.get(f"/v1/products/{made.json()['id']}")).status_code == 404

    async def test_a_key_made_in_it_works_there(self, client: httpx.AsyncClient, proof: dict[str, str]) -> None:
        await client.post("/console/sandbox", json={}, headers=proof)
        made = await client.post("/v1/api-keys", json={"name": "k", "scopes": ["catalog:read"]}, headers=proof | TEST)
        client.cookies.clear()
        answer = await client.get("/v1/products", headers={"authorization": f"Bearer {made.json()['key']}"})
        assert answer.status_code == 200, answer.text

    async def test_the_profile_is_the_same_in_it(self, client: httpx.AsyncClient, acme: Store, proof: dict[str, str]) -> None:
        await client.post("/console/sandbox", json={}, headers=proof)
        assert (await client.get("/v1/profile", headers=TEST)).json()["mail"] == acme.mail

    async def test_a_role_is_no_wider_in_it(self, client: httpx.AsyncClient, acme: Store, proof: dict[str, str]) -> None:
        await client.post("/console/sandbox", json={}, headers=proof)
        person = await acme.employ("read-only")
        client.cookies.clear()
        answer = await client.post("/console/session", json={"mail": person.mail, "password": person.password})
        headers = TEST | {"X-CSRF-Token": answer.json()["csrf"]}
        assert (await client.get("/v1/products", headers=headers)).status_code == 200
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers)).status_code == 403

    async def test_it_is_for_people(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.get("/v1/products", headers=acme.merchant | TEST)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_mode")

    async def test_nobody_gets_into_anothers(self, client: httpx.AsyncClient, globex: Store, proof: dict[str, str]) -> None:
        await client.post("/console/sandbox", json={}, headers=proof)
        made = (await client.post("/v1/products", json={"name": "acme's"}, headers=proof | TEST)).json()
        client.cookies.clear()
        theirs = (await sign_in(client, globex)).json()
        await client.post("/console/sandbox", json={}, headers={"X-CSRF-Token": theirs["csrf"]})
        assert (await client.get(f"/v1/products/{made['id']}", headers=TEST)).status_code == 404
        assert (await client.get("/v1/products", headers=TEST)).json()["products"] == []
