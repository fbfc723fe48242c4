"""HTTP for translations. Each handler is one call into `tenants.translations`."""

from typing import Annotated

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.wire import Name
from tenants import translations
from tenants.db import TenantTx


class NewTranslation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only a product has a description; null leaves the one it was made with."""

    name: Name
    description: Annotated[str, Meta(max_length=10_000)] | None = None


class Translation(Struct, frozen=True):
    locale: str
    name: str
    description: str | None


class Translations(Struct, frozen=True):
    translations: list[Translation]


def _translation(found: translations.Translation) -> Translation:
    return Translation(found.locale, found.name, found.description)


class TranslationController(Controller):
    path = "/translations/{subject_id:str}"
    tags = ("Catalogue",)

    @get("/", guards=[needs("catalog:read")], operation_id="listTranslations", summary="Texts of a product, SKU or sale in other languages")
    async def all_of(self, subject_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Translations:
        return Translations([_translation(found) for found in await translations.all_of(tx, subject_id)])

    @put(
        "/{locale:str}",
        guards=[needs("catalog:write")],
        problems=[409],  # too many
        operation_id="putTranslation",
        summary="Set the text in one of the store's languages",
    )
    async def put(
        self,
        subject_id: FromPath[str],
        locale: FromPath[str],
        data: JSONBody[NewTranslation],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Translation:
        new = translations.Translation(locale, data.name, data.description)
        return _translation(await translations.put(tx, subject_id, new, actor=merchant.actor))

    @delete("/{locale:str}", guards=[needs("catalog:write")], operation_id="removeTranslation", summary="Show what was written again")
    async def remove(
        self, subject_id: FromPath[str], locale: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> None:
        await translations.remove(tx, subject_id, locale, actor=merchant.actor)
