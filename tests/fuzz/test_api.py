"""A short hunt through all of the API, and proof that a hunt finds what is wrong. The long one is `make fuzz`."""

import asyncio
import json
import random
import secrets
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import asyncpg
import pytest

from checkout_core.config import Settings
from tessera.commands.platform_staff import enrolment
from tessera.embedded import Servers
from tests.api.test_server import environ, ready, started
from tests.declared import Declared
from tests.fuzz.api.house import House
from tests.fuzz.api.hunt import Round, hunt
from tests.fuzz.api.people import ROLES
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene, always
from tests.fuzz.api.world import World, furnish
from tests.openapi_rules import misfits, operations

SEED = 1
AT_ONCE = 4  # roles that ask for an operation, valid or spoilt: others each time, so that all have their turn
PRODUCT = {
    "id": "prd_" + "0" * 32, "name": "x", "description": "", "category": "general", "category_id": None, "reference": None,
    "state": "published", "publish_at": None, "unpublish_at": None, "options": [], "moderation": "clear", "images": [],
    "created_at": "2026-11-11T00:00:00Z",
}  # fmt: skip


def house(url: str, settings: Settings) -> House:
    """A shop where nobody sends the mails: they are read as they wait."""

    async def newest(to: str) -> str:
        admin = await asyncpg.connect(settings.database_url)
        try:
            sql = "SELECT content::jsonb ->> 'token' FROM mail WHERE recipient = $1 ORDER BY id DESC LIMIT 1"
            return str(await admin.fetchval(sql, to))
        finally:
            await admin.close()

    return House(url, lambda to: asyncio.run(newest(to)), lambda mail: asyncio.run(enrolment(settings, "add", mail, "admin")).secret)


async def test_the_api_is_as_it_says(servers: Servers, settings: Settings, declared: Declared) -> None:
    seed = secrets.randbelow(2**32)

    def some(operation: str) -> list[str]:
        return random.Random(f"{seed}:{operation}").sample(ROLES, AT_ONCE)

    with started(environ(servers, settings, TESSERA_IP_LIMIT_FACTOR="100000", TESSERA_WEBHOOK_LOOPBACK="1")) as (_, url):
        async with ready(url):
            world = await asyncio.to_thread(furnish, house(url, settings))
            with closing(world):
                rounds = await asyncio.to_thread(list, hunt(url, declared.document, world, seed=seed, examples=1, roles=some))
    assert [each for each in rounds if each.wrong] == [], f"seed {seed}"
    assert len(rounds) == len(list(operations(declared.document)))
    assert {statuses.total() for each in rounds for statuses in each.statuses.values()} == {1}


class Stub(NamedTuple):
    """A server that answers everything alike, and notes what it is asked."""

    url: str
    asked: list[tuple[str, str, bytes]]


@pytest.fixture
def answer() -> dict[str, Any]:
    """What the stub answers."""
    return {"status": 200, "body": {}, "type": "application/json"}


@pytest.fixture
def stub(answer: dict[str, Any]) -> Iterator[Stub]:
    asked: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.rfile.read(int(self.headers.get("content-length", 0)))))
            body = json.dumps(answer["body"]).encode()
            self.send_response(answer["status"])
            headers = {"Content-Type": answer["type"], "Content-Length": str(len(body)), **answer.get("headers", {})}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Stub(f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()
    thread.join()


class TestControls:
    """What is planted is found, by its own words."""

    def hunted(
        self, stub: Stub, declared: Declared, operation: str, *, seed: int = SEED, examples: int = 10, scene: Scene | None = None
    ) -> Round:
        world = World("some-store", {"owner": {"Authorization": "Bearer sk_x"}}, {}, {operation: scene} if scene else {})
        asked = {"only": [operation], "roles": lambda _: ["owner"]}
        [found] = hunt(stub.url, declared.document, world, seed=seed, examples=examples, **asked)
        return found

    @pytest.mark.parametrize(
        ("planted", "words"),
        [
            ({"status": 500}, "500"),
            ({"status": 200, "body": {"id": 1}}, "Response violates schema"),
            ({"status": 418}, "Undocumented status code"),
            ({"type": "text/html"}, "Undocumented Content-Type"),
            ({"body": PRODUCT}, "Missing required response headers"),
        ],
    )
    def test_is_found(self, stub: Stub, declared: Declared, answer: dict[str, Any], planted: dict[str, Any], words: str) -> None:
        answer.update(planted)
        found = self.hunted(stub, declared, "getProduct")
        assert any(words in each.what for each in found.wrong), [each.what for each in found.wrong]

    def test_a_spoilt_request_that_is_taken_is_found(self, stub: Stub, declared: Declared, answer: dict[str, Any]) -> None:
        headers = dict.fromkeys(declared.document["components"]["headers"], "x")
        answer.update(status=201, body=PRODUCT, headers=headers | {"Idempotency-Replayed": "true", "Retry-After": "1"})
        found = self.hunted(stub, declared, "createProduct")
        assert found.wrong
        assert all("Schema-violating request accepted" in each.what for each in found.wrong), [each.what for each in found.wrong]

    def test_the_same_seed_asks_the_same(self, stub: Stub, declared: Declared) -> None:
        asked = []
        for seed in (SEED, SEED, SEED + 1):
            self.hunted(stub, declared, "createSale", seed=seed)
            asked.append(sorted(stub.asked))
            stub.asked.clear()
        assert asked[0] == asked[1] != asked[2]
        assert len(asked[0]) == 10

    def test_silence_is_found(self, declared: Declared) -> None:
        found = self.hunted(Stub("http://127.0.0.1:9", []), declared, "healthz", examples=1)
        assert [each.what[:9] for each in found.wrong] == ["no answer"]

    def test_a_scene_that_cannot_be_made_is_found(self, stub: Stub, declared: Declared) -> None:
        def make(_: str) -> Given:
            raise AssertionError("it is gone")

        found = self.hunted(stub, declared, "getProduct", scene=Scene(make))
        assert [each.what for each in found.wrong if "no scene" in each.what] == ["no scene: AssertionError('it is gone')"]


class TestScenes:
    @pytest.mark.parametrize("again", [0, ALWAYS])
    def test_what_a_success_uses_up_is_made_anew(self, stub: Stub, declared: Declared, answer: dict[str, Any], again: int) -> None:
        made = iter(range(100))
        scene = Scene(lambda _: Given({"product_id": f"prd_{next(made):032x}"}), again)
        answer.update(body=PRODUCT)
        TestControls().hunted(stub, declared, "getProduct", scene=scene)
        named = [path for _, path, _ in stub.asked if "prd_0000" in path]
        assert len(named) > 1
        assert len(set(named)) == (len(named) if again else 1)

    def test_who_is_refused_uses_nothing_up(self, stub: Stub, declared: Declared, answer: dict[str, Any]) -> None:
        made = iter(range(100))
        answer.update(status=404)
        scene = Scene(lambda _: Given({"product_id": f"prd_{next(made):032x}"}), ALWAYS)
        TestControls().hunted(stub, declared, "getProduct", scene=scene)
        assert next(made) == 1

    def test_what_is_spoilt_stays_spoilt(self, stub: Stub, declared: Declared, answer: dict[str, Any]) -> None:
        """A body that is put right and then taken would be a finding that is none."""
        answer.update(status=400)
        TestControls().hunted(stub, declared, "createProduct", scene=Scene(always(name="put right")), examples=40)
        bodies = [json.loads(body) for _, _, body in stub.asked if body.startswith(b"{")]
        schema, does_not_fit = {"$ref": "#/components/schemas/NewProduct"}, misfits(declared.document)
        put_right = [body for body in bodies if body.get("name") == "put right"]
        assert put_right
        assert not any(does_not_fit(schema, body) for body in put_right)
        assert any(does_not_fit(schema, body) for body in bodies)
