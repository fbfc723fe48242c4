"""Requests that Schemathesis makes of the OpenAPI document, valid ones and spoilt ones, and what is wrong with the answers.

Wrong is: an answer of 5xx that the document does not declare as 503; a status, content type, header or body that is not as declared; a
spoilt request that is not refused; no answer. A valid request may be refused: it may name what is not there, or what the role may not do.

Making requests costs more than sending them, so that each is made once and sent by all roles in turn.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi import resolved
from tessera.letterbox import NotSignedUp
from tests.fuzz.api.people import ROLES
from tests.fuzz.api.scenes.scene import Given, Success
from tests.fuzz.api.wire import Silence, Wire
from tests.fuzz.api.world import World

CONFORMANCE = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LITERAL_MAX = 3_000  # characters of a finding that are told
VOLATILE = {"date", "ratelimit"}  # headers that are text of any kind
KEY = "Idempotency-Key"
THROWS = 12  # of the dice, and their sides
# What a client, a browser or a proxy may send along with any request.
ODD_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.sampled_from(["*/*", "text/html", "application/json;q=0.1", "image/png", "x"]),
        "Accept-Language": st.sampled_from(["zh-CN", "en", "*", "🙂".encode().decode("latin-1")]),
        "If-None-Match": st.sampled_from(["*", '"x"', 'W/"x", "y"', "x", '"']),
        "Cookie": st.sampled_from(["tessera_session=x", "tessera_shopper=st_x", "a=b; c", "=", "tessera_session=se_" + "x" * 300]),
        "Origin": st.sampled_from(["https://elsewhere.example", "null", "x"]),
        "Range": st.just("bytes=0-1"),
        "X-Forwarded-For": st.sampled_from(["1.2.3.4", "x"]),
    },
)


class Wrong(NamedTuple):
    """`example` numbers the request among those of its operation."""

    role: str
    example: int
    what: str


class Round(NamedTuple):
    """What one operation answered, by role."""

    operation: str
    statuses: dict[str, Counter[int]]
    wrong: list[Wrong]

    @property
    def all(self) -> Counter[int]:
        return sum(self.statuses.values(), Counter())

    @property
    def welcomed(self) -> dict[str, int]:
        """How many 2xx each role was answered that was answered any."""
        good = {role: sum(n for status, n in statuses.items() if status < 300) for role, statuses in self.statuses.items()}
        return {role: n for role, n in good.items() if n}


class Hunt:
    """All that one process asks: `examples` of each operation, each by every role; with three `turns` by every third in turn."""

    def __init__(self, url: str, document: dict[str, Any], world: World, *, seed: int, examples: int, turns: int = 1) -> None:
        self.turns = turns
        self.url = url
        self.world = world
        self.seed = seed
        self.examples = examples
        schema = schemathesis.openapi.from_dict(document)
        schema.config.generation.update(with_security_parameters=False)  # the role says who asks
        found = [each.ok() for each in schema.get_all_operations()]
        self.operations = {each.definition.raw["operationId"]: each for each in found}
        self.document = document

    def fields(self, operation: Any) -> set[str]:
        """The members that a body of the operation may have."""
        contents = operation.definition.raw.get("requestBody", {}).get("content", {}).values()
        return {name for content in contents for name in resolved(self.document, content["schema"]).get("properties", {})}

    def round(self, name: str, roles: Iterable[str] = ROLES) -> Round:
        """One operation, asked by all of `roles`. What is asked follows from document and seed, but for the ids of the world."""
        with Wire(self.url) as wire:
            asker = _Asker(self, wire, name, tuple(roles))
            asker.ask(number(self.seed, name), self.examples)
        return Round(name, asker.statuses, asker.wrong)


def hunt(
    url: str,
    document: dict[str, Any],
    world: World,
    *,
    seed: int,
    examples: int,
    only: Iterable[str] = (),
    roles: Callable[[str], Iterable[str]] = lambda _: ROLES,
) -> Iterator[Round]:
    """A round of each operation, or of those whose ids are in `only`; `roles` says who asks for it."""
    whole = Hunt(url, document, world, seed=seed, examples=examples)
    for name in [name for name in whole.operations if not only or name in only]:
        yield whole.round(name, roles(name))


def number(seed: int, *words: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{':'.join(words)}".encode()).digest()[:8], "big")


class _Asker:
    """One operation, and all who ask for it."""

    def __init__(self, hunt: Hunt, wire: Wire, name: str, roles: tuple[str, ...]) -> None:
        self.url = hunt.url
        self.turns = hunt.turns
        self.wire = wire
        self.world = hunt.world
        self.name = name
        self.roles = roles
        self.operation = hunt.operations[name]
        self.query = {each.name for each in self.operation.query}
        self.headers = {each.name for each in self.operation.headers}
        self.fields = hunt.fields(self.operation)
        self.statuses: dict[str, Counter[int]] = {role: Counter() for role in roles}
        self.wrong: list[Wrong] = []
        self.asked = 0
        self.scene = hunt.world.scenes.get(name)
        self.given: dict[str, Given | None] = {}
        self.made = 0
        self.good: set[tuple[Any, ...]] = set()

    def ask(self, number: int, examples: int) -> None:
        """Half of what is sent is spoilt, where there is something to spoil; of an odd number, `number` says which half is the larger."""
        spoilt = (examples + number % 2) // 2
        if spoilt and (self.operation.body or next(self.operation.iter_parameters(), None)):
            with suppress(Unsatisfiable):  # a path of any text cannot be spoilt
                self._ask(self.operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), number, spoilt)
        if self.asked < examples:
            self._ask(self.operation.as_strategy(generation_mode=GenerationMode.POSITIVE), number, examples - self.asked)

    def _ask(self, cases: st.SearchStrategy[Case], number: int, examples: int) -> None:
        @seed(number)
        @settings(max_examples=examples, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        # Where there is nothing to choose but the headers, `twist` keeps the examples coming.
        @given(
            case=cases,
            odd=ODD_HEADERS,
            dice=st.lists(st.integers(0, THROWS - 1), min_size=THROWS, max_size=THROWS),
            twist=st.integers(0, 2**32),
        )
        def send(case: Case, odd: dict[str, str], dice: list[int], twist: int) -> None:
            self.asked += 1
            case = case.derive()  # bodies without members are one and the same
            case.freeze_metadata()  # below, nothing that is spoilt is put right
            self._name_what_is_there(case, dice)
            for header, value in odd.items():
                case.headers.setdefault(header, value)
            prepared = None
            for role in self._whose_turn():
                given = self._given(role) if self.scene and dice[0] < THROWS - 1 else None
                if given is not None:
                    self._stage(case, given)
                if prepared is None or given is not None:
                    prepared = self._prepared(case, given)
                self._send(case, role, prepared, given, again=dice[1] < 3)

        send()

    def _send(self, case: Case, role: str, prepared: requests.PreparedRequest, given: Given | None, *, again: bool) -> None:
        headers = self._headers(case, role, prepared, given)
        # In a quarter of the cases everybody has the same key, and those of one store are answered what the first was.
        if KEY in headers and not again and not _spoilt(case, ParameterLocation.HEADER):
            headers[KEY] = f"{headers[KEY][:200]}{ROLES.index(role)}"
        try:
            response = self.wire.send(prepared, headers)
        except Silence as silence:
            self._note(role, f"no answer: {silence}")
            return
        self.statuses[role][response.status_code] += 1
        if response.status_code >= 500 and response.status_code != 503:  # whether a 503 is declared, and says when to ask again, is checked
            self._note(role, f"{response.status_code}: {response.content[:500]!r}\n{case.as_curl_command(headers)}")
        self._check(case, role, response)
        if response.status_code < 300 and self.scene and "idempotency-replayed" not in response.headers:
            self._succeeded(case, role, given, response)

    def _whose_turn(self) -> list[str]:
        """Of those who ask; whoever else does makes no difference."""
        return [role for role in self.roles if (ROLES.index(role) + self.asked) % self.turns == 0]

    def _check(self, case: Case, role: str, response: Response) -> None:
        """Who is refused alike is checked once."""
        told = tuple((name, *values) for name, values in response.headers.items() if name not in VOLATILE)
        answer = (response.status_code, response.content, told)
        if answer in self.good and response.status_code >= 300:
            return
        try:
            # A refusal takes nothing, whatever its status: 413 is not among those that Schemathesis knows.
            taken = [negative_data_rejection] if response.status_code < 400 else []
            case.validate_response(response, checks=[*CONFORMANCE, *taken])
        except FailureGroup as failures:
            self._note(role, str(failures))
        else:
            self.good.add(answer)

    def _name_what_is_there(self, case: Case, dice: list[int]) -> None:
        """In nine of twelve cases, ids of things that exist; else what was made up stays, as does what is spoilt."""
        throws = iter(dice[1:])
        for location in (ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.BODY):
            pool = case.get_container(location)
            if not isinstance(pool, dict) or _spoilt(case, location):
                continue
            if location is ParameterLocation.PATH and self.scene and self.scene.again:
                continue  # it would be used up for the operations that follow
            for name in sorted(pool.keys() & self.world.ids.keys()):
                if (throw := next(throws, THROWS)) < 9:
                    ids = self.world.ids[name]
                    value = ids[throw % len(ids)]
                    pool[name] = [value] if isinstance(pool[name], list) else value
        if "cursor" in case.query and not _spoilt(case, ParameterLocation.QUERY) and next(throws, 0) < 9:
            del case.query["cursor"]  # what is made up is no cursor of any list
        if "X-Tessera-Store" in case.headers and not _spoilt(case, ParameterLocation.HEADER) and next(throws, 0) < 9:
            case.headers["X-Tessera-Store"] = self.world.slug
        if case.operation.path.endswith(("/feed", "/events")):
            case.query["seconds"] = 1
        if case.operation.path.endswith("/feed") and next(throws, 0) < 11:
            case.path_parameters["sale_id"] = self.world.ids["sale_id"][0]

    def _given(self, role: str) -> Given | None:
        assert self.scene is not None
        key = role if self.scene.by_role else ""
        if key not in self.given:
            self.given[key] = None
            with self._staging(role):
                self.given[key] = self.scene.make(role)
        return self.given[key]

    @contextmanager
    def _staging(self, role: str) -> Iterator[None]:
        """A scene that cannot be made is a finding too, and not the end of the hunt."""
        try:
            yield
        except (AssertionError, LookupError, httpx.HTTPError, NotSignedUp) as error:
            self._note(role, f"no scene: {error!r}")

    def _stage(self, case: Case, given: Given) -> None:
        """What is spoilt stays so."""
        for name, value in given.values.items():
            if name in case.path_parameters:
                if not _spoilt(case, ParameterLocation.PATH):
                    case.path_parameters[name] = value
            elif name in self.query:
                if not _spoilt(case, ParameterLocation.QUERY):
                    case.query[name] = value
            elif name in self.headers:
                if not _spoilt(case, ParameterLocation.HEADER):
                    case.headers[name] = value
            elif name in self.fields and isinstance(case.body, dict) and not _spoilt(case, ParameterLocation.BODY):
                case.body[name] = value

    def _prepared(self, case: Case, given: Given | None) -> requests.PreparedRequest:
        content = case.as_transport_kwargs(base_url=self.url)
        if given is not None and given.file is not None and not _spoilt(case, ParameterLocation.BODY):
            content.pop("json", None)
            content["data"] = given.file
        return requests.Request(**content).prepare()

    def _headers(self, case: Case, role: str, prepared: requests.PreparedRequest, given: Given | None) -> dict[str, str]:
        ours = self.world.headers[role] | (given.headers if given is not None else {})
        if _spoilt(case, ParameterLocation.HEADER):
            ours = {name: value for name, value in ours.items() if name not in self.headers}
        lowered = {name.lower() for name in ours}
        return {name: value for name, value in prepared.headers.items() if name.lower() not in lowered} | ours

    def _succeeded(self, case: Case, role: str, given: Given | None, response: Response) -> None:
        assert self.scene is not None
        sent = None if isinstance(case.body, NotSet) else case.body
        answer = response.json() if response.content and "json" in response.headers.get("content-type", [""])[0] else None
        with self._staging(role):
            self.scene.after(Success(role, sent, answer))
        if given is not None and self.made < self.scene.again:
            self.made += 1
            self.given.pop(role if self.scene.by_role else "", None)

    def _note(self, role: str, what: str) -> None:
        self.wrong.append(Wrong(role, self.asked, what[:LITERAL_MAX]))


def _spoilt(case: Case, location: ParameterLocation) -> bool:
    return case.meta is not None and case.meta.is_negative_at(location)
