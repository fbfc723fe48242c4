"""Licence keys: made, delivered by the payment, and asked after by a merchant's program, through the API."""

import asyncio
import contextlib
import datetime as dt
import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar

from api.limits import POLICIES
from checkout_core.ids import decode
from tenants import entitlements, terms, vault
from tenants.db import TenantTx, tenant_tx
from tenants.types.licence import keys, licences
from tests.paying import pay
from tests.shop import Store

ACTS = "/v1/types/licence"
BY_UNIT = ("suspend", "reinstate", "free")


async def sold(store: Store, units: int = 2, **config: object) -> str:
    """A sale of licences."""
    sku = await store.sku(type="licence", config=config)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    return await store.sale(units, sku_id=sku)


async def bought(store: Store, **config: object) -> tuple[dict[str, str], str, str]:
    """A shopper, his order, and the key he got for it."""
    who = await store.guest()
    order = await store.order(who, await sold(store, **config))
    assert await pay(store, order) == "applied"
    [code] = (await store.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
    return who, order, str(code["code"])


async def act(store: Store, name: str, **body: object) -> Any:
    """As a program that has nothing but a key."""
    return await store.ask("POST", f"{ACTS}/{name}", store.at, body)


async def refused(store: Store, name: str, **body: object) -> tuple[int, str]:
    answer = await store.client.post(f"{ACTS}/{name}", headers=store.at, json=body)
    return answer.status_code, answer.json()["code"]


async def verdict(store: Store, key: str, **body: object) -> str:
    found = await act(store, "validate", key=key, **body)
    assert found["valid"] == (found["code"] == "VALID")
    return str(found["code"])


async def unit_of(store: Store, order: str) -> int:
    [found] = (await store.ask("POST", f"{ACTS}/inspect", store.merchant, {"order_id": order}))["licences"]
    return int(found["unit"])


async def aged(store: Store, order: str, days: int) -> None:
    """As if the order had been delivered, and whatever was granted with it begun, so many days ago."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE entitlement SET valid_from = valid_from - $3::interval, valid_until = valid_until - $3,
                                        next_try_at = next_try_at - $3 WHERE tenant_id = $1 AND order_id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, decode("ord", order), dt.timedelta(days=days))


class TestKeys:
    @given(st.sampled_from(["", "A", "ACME", "IO0L1U", "A" * 12]))
    def test_what_is_made_is_read_however_it_is_typed(self, prefix: str) -> None:
        key = keys.make(prefix)
        plain = key.replace("-", "")
        body = plain[len(prefix) :]
        misread = prefix + body.replace("1", "l").replace("0", "o")
        for typed in (key, key.lower(), f"  {key}\n", plain, key.replace("-", " "), f"{prefix}{body}".lower(), misread):
            assert keys.read(typed) == key

    def test_a_typing_mistake_is_found(self) -> None:
        """Each symbol changed into each other one, left out, and swapped with its neighbour."""
        key = "ACME0123456789ABCDEFGHJKMNPQRSH2WK"
        assert keys.read(key) is not None
        wrong = {key[:at] + other + key[at + 1 :] for at in range(len(key)) for other in keys.ALPHABET}
        wrong |= {key[:at] + key[at + 1 :] for at in range(4, len(key))}
        wrong |= {key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in range(len(key) - 1)}
        assert [each for each in wrong - {key} if keys.read(each) is not None] == []

    @pytest.mark.parametrize("text", ["", "-", "ACME", "X" * 29, "卡" * 30, "é" * 30, "0" * 1000, "U" * 30])
    def test_no_key_at_all(self, text: str) -> None:
        assert keys.read(text) is None

    def test_have_more_chance_than_anybody_can_guess(self) -> None:
        made = {keys.make() for _ in range(2_000)}
        assert len(made) == 2_000
        assert all(len({key.replace("-", "")[place] for key in made}) == 32 for place in range(keys.CHANCE))
        assert keys.CHANCE * 5 >= 128


class TestSku:
    @pytest.mark.parametrize("config", [{"devices_max": 0}, {"days": 0}, {"starts": "never"}, {"prefix": "a-b"}, {"colour": "red"}])
    async def test_a_config_that_is_not_its(self, client: httpx.AsyncClient, acme: Store, config: object) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "licence", "config": config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_config")


class TestDelivery:
    async def test_by_the_payment_itself(self, acme: Store) -> None:
        who, order, key = await bought(acme, prefix="ACME", days=30)
        assert (await acme.ask("GET", f"/v1/orders/{order}", who))["state"] == "delivered"
        assert key.startswith("ACME-")
        assert keys.read(key) == key
        [shown] = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        until = dt.datetime.fromisoformat(shown["valid_until"])
        assert dt.timedelta(days=29) < until - dt.datetime.now(dt.UTC) <= dt.timedelta(days=30)


class TestWhoMay:
    async def test_anonymous_and_foreign(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Who holds the key may; at another store it is nobody's, and its unit nobody's for another merchant."""
        _, order, key = await bought(acme)
        unit = await unit_of(acme, order)
        assert await verdict(globex, key) == "NOT_FOUND"
        for name in ("activate", "deactivate"):
            assert await refused(globex, name, key=key, device="pc") == (404, "not_found")
        assert await refused(globex, "activations", key=key) == (404, "not_found")
        for name in BY_UNIT:
            body = {"unit": unit} | ({"device": "pc"} if name == "free" else {})
            assert (await client.post(f"{ACTS}/{name}", json=body)).status_code == 401
            assert (await client.post(f"{ACTS}/{name}", json=body, headers=globex.merchant)).status_code == 404
            assert (await client.post(f"{ACTS}/{name}", json=body, headers=await acme.key_with("orders:read"))).status_code == 403
        for headers, status in ((acme.at, 401), (globex.merchant, 404)):
            assert (await client.post(f"{ACTS}/inspect", json={"order_id": order}, headers=headers)).status_code == status
        assert await verdict(acme, key) == "VALID"

    async def test_a_key_that_is_nobodys_yet_is_no_key(self, acme: Store) -> None:
        """In the vault, in a sale, and on hold: somebody who saw the database dumped in time has nothing."""
        who, sale = await acme.guest(), await sold(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            units = [row[0] for row in await tx.conn.fetch("SELECT id FROM unit WHERE tenant_id = $1", tx.tenant_id)]
            made = [code.code for code in await vault.reveal(tx, acme.process.keyring, units)]
        await acme.order(who, sale)
        for key in made:
            assert await verdict(acme, key) == "NOT_FOUND"
            assert await refused(acme, "activate", key=key, device="pc") == (404, "not_found")

    async def test_a_card_code_is_no_licence(self, client: httpx.AsyncClient, acme: Store) -> None:
        key = keys.make()
        sku = await acme.sku()
        headers = acme.merchant | {"Content-Type": "text/plain"}
        loaded = await client.post(f"/v1/vault/imports?sku_id={sku}", headers=headers, content=f"{key}\n".encode())
        assert loaded.json()["loaded"] == 1
        order = await acme.order(await acme.guest(), await acme.sale(1, sku_id=sku))
        await pay(acme, order)
        assert await verdict(acme, key) == "NOT_FOUND"
        answer = await client.post(f"{ACTS}/inspect", json={"order_id": order}, headers=acme.merchant)
        assert answer.status_code == 404

    async def test_who_guesses_is_slowed_down(self, app: Litestar, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(acme.process.limits, "_factor", 1)
        monkeypatch.setitem(POLICIES, "type-acts", POLICIES["type-acts"]._replace(quota=3, window_s=3600))
        transport = httpx.ASGITransport(app=app, client=(f"198.51.100.{random.randrange(256)}", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=acme.at) as guessing:
            answers = [await guessing.post(f"{ACTS}/activate", json={"key": keys.make(), "device": "pc"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]


class TestActivate:
    async def test_on_as_many_devices_as_it_may(self, acme: Store) -> None:
        _, _, key = await bought(acme, devices_max=2)
        assert await verdict(acme, key) == "VALID"
        assert await verdict(acme, key, device="pc") == "NO_MACHINES"
        standing = await act(acme, "activate", key=key.lower(), device="pc")
        assert (standing["code"], standing["devices"], standing["devices_max"]) == ("VALID", 1, 2)
        assert (await act(acme, "activate", key=key, device="pc"))["devices"] == 1  # the same one: asked again
        await act(acme, "activate", key=key, device="mac")
        assert await refused(acme, "activate", key=key, device="phone") == (409, "too_many_machines")
        assert await verdict(acme, key, device="mac") == "VALID"
        assert await verdict(acme, key, device="phone") == "FINGERPRINT_SCOPE_MISMATCH"
        found = await act(acme, "activations", key=key)
        assert [each["device"] for each in found["devices"]] == ["pc", "mac"]

    async def test_at_the_same_time_no_device_too_many(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, key = await bought(acme, devices_max=3)
        bodies = [{"key": key, "device": f"pc{n}"} for n in range(8)]
        answers = await asyncio.gather(*(client.post(f"{ACTS}/activate", headers=acme.at, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 5
        assert len((await act(acme, "activations", key=key))["devices"]) == 3

    async def test_what_it_takes_is_not_known(self, acme: Store) -> None:
        for wrong in ("nonsense", keys.make(), keys.make("ACME")):
            assert await verdict(acme, wrong) == "NOT_FOUND"
            assert await refused(acme, "activate", key=wrong, device="pc") == (404, "not_found")

    async def test_a_licence_for_another_product(self, acme: Store) -> None:
        _, _, key = await bought(acme)
        mine = (await act(acme, "validate", key=key))["sku_id"]
        assert await verdict(acme, key, sku_id=mine) == "VALID"
        assert await verdict(acme, key, sku_id=await acme.sku()) == "PRODUCT_SCOPE_MISMATCH"


class TestDeactivate:
    async def test_makes_room_and_may_be_asked_again(self, acme: Store) -> None:
        _, _, key = await bought(acme)
        assert (await act(acme, "deactivate", key=key, device="pc"))["devices"] == 0  # never activated
        await act(acme, "activate", key=key, device="pc")
        for _ in range(2):
            assert (await act(acme, "deactivate", key=key, device="pc"))["devices"] == 0
        assert await verdict(acme, key, device="pc") == "NO_MACHINES"
        assert (await act(acme, "activate", key=key, device="mac"))["devices"] == 1
        assert await refused(acme, "activate", key=key, device="pc") == (409, "too_many_machines")

    async def test_the_merchant_frees_a_device_that_is_lost(self, acme: Store) -> None:
        _, order, key = await bought(acme)
        await act(acme, "activate", key=key, device="pc")
        body = {"unit": await unit_of(acme, order), "device": "pc"}
        for _ in range(2):
            assert (await acme.ask("POST", f"{ACTS}/free", acme.merchant, body))["devices"] == 0
        assert (await acme.audited()).count("licence.device_freed") == 1


class TestEnd:
    async def test_so_many_days_from_delivery(self, acme: Store) -> None:
        _, order, key = await bought(acme, days=30)
        await act(acme, "activate", key=key, device="pc")
        await aged(acme, order, 29)
        assert await verdict(acme, key, device="pc") == "VALID"
        await aged(acme, order, 1)
        assert await verdict(acme, key, device="pc") == "EXPIRED"
        assert await refused(acme, "activate", key=key, device="pc") == (409, "expired")
        await ends(acme, order)
        assert await verdict(acme, key, device="pc") == "EXPIRED"
        assert (await act(acme, "deactivate", key=key, device="pc"))["devices"] == 0

    async def test_so_many_days_from_the_first_activation(self, acme: Store) -> None:
        _, order, key = await bought(acme, days=30, starts="activation", devices_max=2)
        assert (await act(acme, "validate", key=key))["expires_at"] is None
        first = (await act(acme, "activate", key=key, device="pc"))["expires_at"]
        assert dt.datetime.fromisoformat(first) > dt.datetime.now(dt.UTC) + dt.timedelta(days=29)
        await aged(acme, order, 10)
        await act(acme, "deactivate", key=key, device="pc")
        again = (await act(acme, "activate", key=key, device="mac"))["expires_at"]
        assert dt.datetime.fromisoformat(first) - dt.datetime.fromisoformat(again) == dt.timedelta(days=10)
        await aged(acme, order, 21)
        assert await verdict(acme, key) == "EXPIRED"

    async def test_for_ever(self, acme: Store) -> None:
        _, order, key = await bought(acme)
        await act(acme, "activate", key=key, device="pc")
        await aged(acme, order, 5_000)
        assert (await act(acme, "validate", key=key, device="pc"))["expires_at"] is None
        assert await verdict(acme, key, device="pc") == "VALID"


async def ends(store: Store, order: str) -> None:
    """What the sweep would do of an end that is due."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT id FROM entitlement WHERE tenant_id = $1 AND order_id = $2 AND next_try_at <= now()"
        [entitlement_id] = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, decode("ord", order))]
    await terms.tend(store.process.app_pool, store.tenant_id, entitlement_id)
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        assert (await entitlements.get(tx, entitlement_id)).state == "expired"


class TestSuspend:
    async def test_and_reinstate(self, acme: Store) -> None:
        _, order, key = await bought(acme, devices_max=2)
        await act(acme, "activate", key=key, device="pc")
        body = {"unit": await unit_of(acme, order)}
        for _ in range(2):
            assert (await acme.ask("POST", f"{ACTS}/suspend", acme.merchant, body))["code"] == "SUSPENDED"
        assert await verdict(acme, key, device="pc") == "SUSPENDED"
        assert await refused(acme, "activate", key=key, device="mac") == (409, "suspended")
        for _ in range(2):
            assert (await acme.ask("POST", f"{ACTS}/reinstate", acme.merchant, body))["code"] == "VALID"
        assert await verdict(acme, key, device="pc") == "VALID"
        audited = await acme.audited()
        assert (audited.count("licence.suspended"), audited.count("licence.reinstated")) == (1, 1)

    async def test_before_it_was_ever_activated(self, acme: Store) -> None:
        _, order, key = await bought(acme)
        await acme.ask("POST", f"{ACTS}/suspend", acme.merchant, {"unit": await unit_of(acme, order)})
        assert await refused(acme, "activate", key=key, device="pc") == (409, "suspended")


class TestRefund:
    @pytest.mark.parametrize("activated", [True, False])
    async def test_it_is_revoked_at_once(self, client: httpx.AsyncClient, acme: Store, activated: bool) -> None:
        _, order, key = await bought(acme, devices_max=2)
        unit = await unit_of(acme, order)
        if activated:
            await act(acme, "activate", key=key, device="pc")
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await verdict(acme, key, device="pc") == "REVOKED"
        assert await refused(acme, "activate", key=key, device="mac") == (409, "revoked")
        for name in ("suspend", "reinstate"):
            answer = await client.post(f"{ACTS}/{name}", json={"unit": unit}, headers=acme.merchant)
            assert (answer.status_code, answer.json()["code"]) == (409, "revoked")

    async def test_after_its_end_too(self, acme: Store) -> None:
        _, order, key = await bought(acme, days=30)
        await act(acme, "activate", key=key, device="pc")
        await aged(acme, order, 31)
        await ends(acme, order)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await verdict(acme, key) == "REVOKED"

    @pytest.mark.parametrize("in_line", [True, False])
    async def test_against_the_first_activation(self, acme: Store, monkeypatch: pytest.MonkeyPatch, in_line: bool) -> None:
        """What comes while the order is being refunded waits for that, and finds nothing to activate. Without the order's lock it would
        be granted, after the refund had looked for what was granted."""
        _, order, key = await bought(acme)
        revoked, revoke = asyncio.Event(), entitlements.revoke

        async def slow(tx: TenantTx, units: Sequence[int]) -> None:
            await revoke(tx, units)
            revoked.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(activation), 0.3)

        async def unlocked(tx: TenantTx, order_id: UUID) -> Any:
            return await tx.conn.fetchrow("SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)

        async def meanwhile() -> int:
            await revoked.wait()
            return (await acme.client.post(f"{ACTS}/activate", headers=acme.at, json={"key": key, "device": "pc"})).status_code

        monkeypatch.setattr(entitlements, "revoke", slow)
        if not in_line:
            monkeypatch.setattr(licences, "release", SimpleNamespace(lock=unlocked))
        activation = asyncio.create_task(meanwhile())
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await activation == (409 if in_line else 200)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT state FROM entitlement WHERE tenant_id = $1 AND order_id = $2"
            state = await tx.conn.fetchval(sql, tx.tenant_id, decode("ord", order))
        assert state == (None if in_line else "active")
        assert await verdict(acme, key) == "REVOKED"


STEPS = st.one_of(
    st.tuples(st.sampled_from(["activate", "deactivate", "free"]), st.sampled_from("abcd")),
    st.tuples(st.sampled_from(["suspend", "reinstate", "refund"]), st.just("")),
)


class TestInAnyOrder:
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEPS, min_size=3, max_size=12))
    async def test_it_is_worth_what_it_should(self, acme: Store, steps: list[tuple[str, str]]) -> None:
        _, order, key = await bought(acme, devices_max=2)
        unit, devices, suspended, refunded = await unit_of(acme, order), set[str](), False, False
        for step, device in steps:
            named = {"device": device} if device else {}
            if step in ("activate", "deactivate"):
                answer = await acme.client.post(f"{ACTS}/{step}", headers=acme.at, json={"key": key, **named})
            elif step == "refund":
                answer = await acme.client.post(f"/v1/orders/{order}/refund", headers=acme.merchant, json={})
            else:
                answer = await acme.client.post(f"{ACTS}/{step}", headers=acme.merchant, json={"unit": unit, **named})
            possible = not refunded if step in ("suspend", "reinstate") else True
            if step == "activate":
                possible = not refunded and not suspended and (device in devices or len(devices) < 2)
            assert answer.is_success == possible, (step, answer.text)
            if step == "activate" and possible:
                devices.add(device)
            elif step in ("deactivate", "free"):
                devices.discard(device)
            elif possible:
                suspended, refunded = {"suspend": (True, refunded), "reinstate": (False, refunded), "refund": (suspended, True)}[step]
            for each in "abcd":
                reasons = [
                    (refunded, "REVOKED"), (suspended, "SUSPENDED"), (not devices, "NO_MACHINES"),
                    (each not in devices, "FINGERPRINT_SCOPE_MISMATCH"), (True, "VALID"),
                ]  # fmt: skip
                assert await verdict(acme, key, device=each) == next(reason for applies, reason in reasons if applies)
