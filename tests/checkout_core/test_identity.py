"""Ids, tokens, derived keys: what names a thing, and what proves it."""

import base64
import time
from uuid import UUID, uuid4

import pytest

from checkout_core import ids, intents, tokens
from checkout_core.errors import NotFound, Unauthorized
from checkout_core.secrets import derive, mac128

KEY = derive(b"k" * 32, "shoppers")
TENANT = uuid4()


class TestIds:
    def test_version_7_in_order_of_time(self) -> None:
        first = ids.new_id()
        time.sleep(0.002)
        second = ids.new_id()
        assert first < second
        assert first.version == 7
        assert first.variant == "specified in RFC 4122"

    def test_there_and_back(self) -> None:
        value = ids.new_id()
        assert ids.decode("ord", ids.encode("ord", value)) == value

    @pytest.mark.parametrize(
        "text",
        ["", "ord_", "ord_0", "sal_" + "0" * 32, "ord_" + "0" * 31, "ord_" + "g" * 32, "ord_" + "A" * 32, "ord_" + "0" * 33,
         "ord_" + "٣" * 32, "ord" + "0" * 32, "ord_{" + "0" * 30 + "}"],
    )  # fmt: skip
    def test_anything_else_is_not_found(self, text: str) -> None:
        with pytest.raises(NotFound):
            ids.decode("ord", text)


class TestTokens:
    def test_there_and_back(self) -> None:
        token, shopper = tokens.issue(KEY, TENANT)
        assert tokens.verify(KEY, token) == shopper
        assert len(token) == 75

    def test_every_changed_character_is_refused(self) -> None:
        token, _ = tokens.issue(KEY, TENANT)
        for at in range(len(token)):
            other = "A" if token[at] != "A" else "B"
            with pytest.raises(Unauthorized):
                tokens.verify(KEY, token[:at] + other + token[at + 1 :])

    def test_another_key_is_refused(self) -> None:
        token, _ = tokens.issue(derive(b"x" * 32, "shoppers"), TENANT)
        with pytest.raises(Unauthorized):
            tokens.verify(KEY, token)

    def test_it_expires(self) -> None:
        token, _ = tokens.issue(KEY, TENANT, now=1_000_000_000)
        with pytest.raises(Unauthorized, match="expired"):
            tokens.verify(KEY, token)

    @pytest.mark.parametrize("text", ["", "st_", "st_é", "st_" + "A" * 70, "sk_" + "A" * 70, "st_" + "A" * 1000, "st_===="])
    def test_malformed(self, text: str) -> None:
        with pytest.raises(Unauthorized):
            tokens.verify(KEY, text)

    def test_padding_is_no_second_spelling(self) -> None:
        token, _ = tokens.issue(KEY, TENANT)
        with pytest.raises(Unauthorized):
            tokens.verify(KEY, token + "=")


class TestOrderId:
    def test_the_same_for_a_retry_and_no_other(self) -> None:
        shopper = uuid4()
        first = intents.order_id(KEY, TENANT, shopper, "k1")
        assert first == intents.order_id(KEY, TENANT, shopper, "k1")
        others = {
            intents.order_id(KEY, TENANT, shopper, "k2"),
            intents.order_id(KEY, TENANT, uuid4(), "k1"),
            intents.order_id(KEY, uuid4(), shopper, "k1"),
            intents.order_id(derive(b"x" * 32, "orders"), TENANT, shopper, "k1"),
        }
        assert first not in others
        assert len(others) == 4


class TestDerivedKeys:
    def test_rfc_5869_with_an_empty_salt(self) -> None:
        """The same as the reference implementation of the cryptography package."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        assert derive(b"r" * 32, "orders") == HKDF(SHA256(), 32, None, b"orders").derive(b"r" * 32)

    def test_parts_do_not_run_together(self) -> None:
        assert mac128(KEY, b"ab", b"c") != mac128(KEY, b"a", b"bc")
        assert len(mac128(KEY, b"")) == 16


def test_a_token_is_url_safe() -> None:
    token, _ = tokens.issue(KEY, UUID(bytes=b"\xff" * 16))
    assert base64.urlsafe_b64decode(token[3:] + "==")[:16] == b"\xff" * 16
