"""Card codes (卡密): bought in, loaded from files, each delivered once."""

from typing import ClassVar

from tenants.types.base import ProductType, Stock


class CardCode(ProductType):
    name = "code"
    label: ClassVar = {"zh-CN": "卡密", "en": "Card code"}
    summary: ClassVar = {
        "zh-CN": "导入的卡密，付款后立即发出，一码一单。",
        "en": "Codes from your files. Each goes to one order, the moment it is paid.",
    }
    stock: ClassVar[Stock] = "imported"
    sealed = True
    at_once = True


TYPE = CardCode()
