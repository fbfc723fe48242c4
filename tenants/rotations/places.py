"""Everything that lies sealed under a store's data key: where, and with which additional data. A test holds that nothing is missing."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from tenants.keys import account_place, archive_place, document_place, fulfilment_place, input_place, qualification_place, webhook_place


class Sealed(NamedTuple):
    """A column whose content is sealed, beside the one that names the key. `key` is the table's primary key without the tenant, with the
    types; `place` takes a tenant and a row."""

    table: str
    key: tuple[tuple[str, str], ...]
    content: str
    key_id: str
    place: Callable[[UUID, Any], bytes]
    at_once: int = 200


_ID = (("id", "uuid"),)
# Beside `code`, whose rows are many and bear fingerprints too.
OTHERS = (
    Sealed("provider_account", _ID, "credentials", "key_id", lambda tenant_id, row: account_place(tenant_id, row["id"])),
    Sealed("webhook_endpoint", _ID, "secret", "key_id", lambda tenant_id, row: webhook_place(tenant_id, row["id"])),
    Sealed("webhook_endpoint", _ID, "old_secret", "old_key_id", lambda tenant_id, row: webhook_place(tenant_id, row["id"])),
    Sealed("qualification", _ID, "particulars", "key_id", lambda tenant_id, row: qualification_place(tenant_id, row["id"])),
    Sealed("fulfilment", _ID, "sealed", "key_id", lambda tenant_id, row: fulfilment_place(tenant_id, row["id"])),
    Sealed(
        "order_line", (("order_id", "uuid"), ("sale_id", "uuid")), "input", "input_key_id",
        lambda tenant_id, row: input_place(tenant_id, row["order_id"], row["sale_id"]),
    ),
    # 10 MB each at most.
    Sealed(
        "qualification_document", _ID, "content", "key_id",
        lambda tenant_id, row: document_place(tenant_id, row["qualification_id"], row["id"]), at_once=1,
    ),
    Sealed("data_request", _ID, "words", "key_id", lambda tenant_id, row: archive_place(tenant_id, row["id"], -1)),
    Sealed(
        "data_part", (("request_id", "uuid"), ("number", "integer")), "sealed", "key_id",
        lambda tenant_id, row: archive_place(tenant_id, row["request_id"], row["number"]), at_once=10,
    ),
)  # fmt: skip


def name(sealed: Sealed) -> str:
    return f"{sealed.table}.{sealed.content}"


# In the order in which a rotation looks at them.
TABLES = ("code", *map(name, OTHERS))
