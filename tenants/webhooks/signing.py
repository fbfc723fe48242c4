"""Secrets and signatures by the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`, in the headers `webhook-*`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import os
from base64 import b64encode
from collections.abc import Sequence

SECRET_BYTES = 32


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as merchants get it."""
    return f"whsec_{b64encode(secret).decode()}"


def headers(secrets: Sequence[bytes], message_id: str, sent_at_s: int, body: bytes) -> dict[str, str]:
    """What goes with `body`: one signature for each secret. The id must hold no full stop."""
    assert "." not in message_id
    signed = f"{message_id}.{sent_at_s}.".encode() + body
    signatures = (b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
