"""Codes that are found, shown and exported, and the keys they lie under."""

from uuid import uuid4

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene


def vault(place: Place) -> dict[str, Scene]:
    ask, key = place.ask, {"Content-Type": "text/plain"}

    def known() -> str:
        """A code that is in the vault."""
        code = uuid4().hex
        place.desk.ask("POST", f"/v1/vault/imports?sku_id={place.ids['sku_id'][0]}", place.key | key, file=f"{code}\n".encode())
        return code

    def unit(_: str) -> Given:
        return Given({"unit_id": ask("POST", "/v1/vault/lookups", {"code": known()})["unit"]})

    def export(by: str) -> str:
        body = {"reason": "x", "sku_id": place.ids["sku_id"][0], "units": 1}
        return str(ask("POST", "/v1/vault/exports", body, headers=place.headers[by])["id"])

    def requested(_: str) -> Given:
        return Given({"code_export_id": export("manager")})

    def approved(_: str) -> Given:
        export_id = export("owner")
        ask("POST", f"/v1/vault/exports/{export_id}/approve", headers=place.headers["manager"])
        return Given({"code_export_id": export_id})

    def watched(_: str) -> Given:
        sku = place.ids["sku_id"][0]
        ask("PUT", f"/v1/vault/stock-watches/{sku}", {"low_stock_at": 1})
        return Given({"sku_id": sku})

    def one(_: str) -> Given:
        """Of the three things an export may be of, one."""
        return Given({"sku_id": place.ids["sku_id"][0], "import_id": None, "order_id": None})

    return {
        "findCode": Scene(lambda _: Given({"code": known()})),
        "revealUnit": Scene(unit),
        "requestExport": Scene(one),
        "getExport": Scene(requested),
        "approveExport": Scene(requested, ALWAYS),
        "refuseExport": Scene(requested, ALWAYS),
        "downloadExport": Scene(approved, ALWAYS),
        "unwatchStock": Scene(watched, ALWAYS),
    }
