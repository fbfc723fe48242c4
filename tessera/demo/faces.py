"""The demonstration's two faces, as browsers find them: the store's home page, and the merchant's console with its sign-in."""

from typing import Any

import httpx

from tessera import console
from tessera.demo.merchant import TIMEOUT_S, Store


def look(api_url: str, store: Store) -> dict[str, Any]:
    """The status each face answers with. A console that was not built, for want of Node and a network, has none."""
    wish = {"mail": store.owner.mail, "password": store.owner.password}
    with httpx.Client(base_url=api_url, timeout=TIMEOUT_S, trust_env=False) as client:
        return {
            "store": client.get("/", headers={"Host": store.host}).status_code,
            "console": client.get("/console/").status_code if is_built() else None,
            "sign_in": client.post("/console/session", json=wish).status_code,
        }


def shortcomings(faces: dict[str, Any]) -> list[str]:
    """What does not answer as it must."""
    return [f"the {name} answers {status}" for name, status in faces.items() if status not in (200, None)]


def is_built() -> bool:
    return (console.OUT / "index.html").is_file()
