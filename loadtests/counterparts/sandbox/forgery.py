"""Forged notices: what a stranger, a thief of one secret, or a careless proxy could send to a merchant. None may be believed.

Each variant turns a true, not yet signed notice into the headers and body of a false one. `Material` is all the provider
knows, so the variants are harder than what a stranger could make.
"""

import functools
import hmac
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from loadtests.counterparts.sandbox import signing
from loadtests.counterparts.sandbox.signing import Identity, lines, seal, signed_headers

Headers = list[tuple[str, str]]


class Material(NamedTuple):
    identity: Identity
    api_v3_key: str
    envelope: dict[str, Any]
    """the notice as JSON, its resource sealed"""
    resource: dict[str, Any]
    """the resource in the clear"""


def _body(envelope: dict[str, Any]) -> bytes:
    return msgspec.json.encode(envelope)


def _resealed(m: Material, **changes: Any) -> bytes:
    """The notice with another resource, sealed with the merchant's true key, as somebody who stole that key could."""
    associated_data = m.envelope["resource"]["associated_data"]
    resource = seal(m.api_v3_key, msgspec.json.encode(m.resource | changes), associated_data, associated_data)
    return _body(m.envelope | {"resource": resource})


def _signed(m: Material, body: bytes, *, shift_s: int = 0, serial: str = "", over: bytes | None = None) -> tuple[Headers, bytes]:
    timestamp = str(int(time.time()) + shift_s)
    nonce = secrets.token_hex(16)
    return signed_headers(m.identity.key, serial or m.identity.serial, timestamp, nonce, body if over is None else over), body


def _replaced(headers: Headers, name: str, value: str) -> Headers:
    return [(key, value if key == name else old) for key, old in headers]


def no_signature(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope))
    return [h for h in headers if h[0] != "Sandbox-Signature"], body


def empty_signature(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope))
    return _replaced(headers, "Sandbox-Signature", ""), body


def no_headers(m: Material) -> tuple[Headers, bytes]:
    return [], _body(m.envelope)


def signtest(m: Material) -> tuple[Headers, bytes]:
    """The provider's own probe: everything is right but the signature, which says what it is."""
    headers, body = _signed(m, _body(m.envelope))
    return _replaced(headers, "Sandbox-Signature", "SANDBOX/SIGNTEST/" + secrets.token_urlsafe(240)), body


@functools.cache
def _stranger_key() -> rsa.RSAPrivateKey:
    return signing.new_key()


def wrong_key(m: Material) -> tuple[Headers, bytes]:
    body, timestamp, nonce = _body(m.envelope), str(int(time.time())), secrets.token_hex(16)
    return signed_headers(_stranger_key(), m.identity.serial, timestamp, nonce, body), body


def other_body(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _body(m.envelope | {"id": "EV-" + secrets.token_hex(16)}), over=_body(m.envelope))


def reserialised(m: Material) -> tuple[Headers, bytes]:
    """The same JSON with a space more: equal to a parser, other bytes to a signature."""
    body = _body(m.envelope)
    return _signed(m, msgspec.json.format(body, indent=1), over=body)


def trailing_newline(m: Material) -> tuple[Headers, bytes]:
    body = _body(m.envelope)
    return _signed(m, body + b"\n", over=body)


def old(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _body(m.envelope), shift_s=-302)


def future(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _body(m.envelope), shift_s=+360)


def far_future(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _body(m.envelope), shift_s=+86_400)


def fresh_stamp_on_old(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope), shift_s=-3600)
    return _replaced(headers, "Sandbox-Timestamp", str(int(time.time()))), body


def unknown_serial(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _body(m.envelope), serial=signing.new_serial())


def hmac_downgrade(m: Material) -> tuple[Headers, bytes]:
    """HMAC with the public key as the secret, for verifiers that let the sender choose the algorithm."""
    headers, body = _signed(m, _body(m.envelope))
    fields = dict(headers)
    over = lines(fields["Sandbox-Timestamp"], fields["Sandbox-Nonce"], body)
    mac = b64encode(hmac.digest(m.identity.public_pem.encode(), over, "sha256")).decode()
    return [*_replaced(headers, "Sandbox-Signature", mac), ("Sandbox-Signature-Type", "SANDBOX-HMAC-SHA256")], body


def sha1_downgrade(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope))
    fields = dict(headers)
    over = lines(fields["Sandbox-Timestamp"], fields["Sandbox-Nonce"], body)
    weak = b64encode(m.identity.key.sign(over, padding.PKCS1v15(), hashes.SHA1())).decode()
    return [*_replaced(headers, "Sandbox-Signature", weak), ("Sandbox-Signature-Type", "SANDBOX-RSA2048-SHA1")], body


def duplicate_signature(m: Material) -> tuple[Headers, bytes]:
    headers, body = wrong_key(m)
    return [*_signed(m, body)[0], headers[-1]], body


def duplicate_timestamp(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope))
    return [("Sandbox-Timestamp", str(int(time.time()) - 60)), *headers], body


def noisy_base64(m: Material) -> tuple[Headers, bytes]:
    """A true signature with characters that a lenient base64 decoder skips."""
    headers, body = _signed(m, _body(m.envelope))
    signature = dict(headers)["Sandbox-Signature"]
    return _replaced(headers, "Sandbox-Signature", signature[:8] + "!" + signature[8:]), body


def broken_signature(m: Material) -> tuple[Headers, bytes]:
    headers, body = _signed(m, _body(m.envelope))
    raw = bytearray(b64decode(dict(headers)["Sandbox-Signature"]))
    raw[7] ^= 1
    return _replaced(headers, "Sandbox-Signature", b64encode(raw).decode()), body


def unsigned_amount(m: Material) -> tuple[Headers, bytes]:
    """Resealed with the merchant's true key, one fen more; the signature is the true notice's."""
    total = m.resource["amount"]["total"] + 1
    return _signed(m, _resealed(m, amount=m.resource["amount"] | {"total": total, "payer_total": total}), over=_body(m.envelope))


def other_mch(m: Material) -> tuple[Headers, bytes]:
    """Truly signed by the provider, but about another merchant's money."""
    return _signed(m, _resealed(m, mchid="1999999999"))


def other_seal(m: Material) -> tuple[Headers, bytes]:
    """Truly signed, sealed for another merchant: it cannot be opened here."""
    associated_data = m.envelope["resource"]["associated_data"]
    resource = seal(signing.new_api_v3_key(), msgspec.json.encode(m.resource), associated_data, associated_data)
    return _signed(m, _body(m.envelope | {"resource": resource}))


def no_seal(m: Material) -> tuple[Headers, bytes]:
    """Truly signed, but the resource lies open instead of sealed."""
    resource = m.envelope["resource"] | {"algorithm": "none", "ciphertext": b64encode(msgspec.json.encode(m.resource)).decode()}
    return _signed(m, _body(m.envelope | {"resource": resource}))


def text_amount(m: Material) -> tuple[Headers, bytes]:
    amount = m.resource["amount"]
    return _signed(m, _resealed(m, amount=amount | {"total": str(amount["total"]), "payer_total": str(amount["total"])}))


def negative_amount(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _resealed(m, amount=m.resource["amount"] | {"total": -1, "payer_total": -1}))


def state_and_event_disagree(m: Material) -> tuple[Headers, bytes]:
    return _signed(m, _resealed(m, trade_state="NOTPAY", status="PROCESSING"))


VARIANTS: dict[str, Callable[[Material], tuple[Headers, bytes]]] = {
    forge.__name__: forge
    for forge in (
        no_signature, empty_signature, no_headers, signtest, wrong_key, other_body, reserialised, trailing_newline, old, future,
        far_future, fresh_stamp_on_old, unknown_serial, hmac_downgrade, sha1_downgrade, duplicate_signature, duplicate_timestamp,
        noisy_base64, broken_signature, unsigned_amount, other_mch, other_seal, no_seal, text_amount, negative_amount,
        state_and_event_disagree,
    )
}  # fmt: skip
