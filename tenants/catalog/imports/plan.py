"""What a catalogue file would do: each line held against its file and the catalogue, before anything is written."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Unprocessable
from checkout_core.ids import new_id
from tenants import capabilities
from tenants.catalog import options
from tenants.catalog.imports.lines import File, Line, LineProblem
from tenants.catalog.options import AXES_MAX, VALUES_MAX, Option
from tenants.catalog.products import PUBLISHED, STATES
from tenants.catalog.skus import SKUS_MAX
from tenants.money import minor_units

PRICE_MAX: Final = 100_000_000_000  # minor units, as the schema has it
STATE_WORDS: Final = {state: state for state in STATES} | {
    "草稿": "draft", "下架": "draft", "上架": "published", "已上架": "published", "归档": "archived", "已归档": "archived",
}  # fmt: skip
LENGTHS: Final = {
    "reference": 64, "name": 200, "product_reference": 64, "product_name": 200, "description": 10_000, "face_value": 64,
    "usage_note": 5_000, "code_pattern": 200,
}  # fmt: skip
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class SkuRow(msgspec.Struct):
    """A SKU as it is, or will be."""

    id: UUID
    product_id: UUID
    reference: str
    name: str = ""
    price_minor: int = 0
    code_pattern: str | None = None
    state: str = PUBLISHED
    choices: list[str] = []
    cost_minor: int | None = None
    face_value: str | None = None
    usage_note: str = ""


class ProductRow(msgspec.Struct):
    """A product as it is, or will be."""

    id: UUID
    reference: str | None
    name: str = ""
    description: str = ""
    category: str = capabilities.GENERAL
    category_id: UUID | None = None
    state: str = PUBLISHED
    options: list[Option] = []


class Known(NamedTuple):
    """What is there of what a file names. `others` are the choices of further SKUs of its products; `counts` all SKUs of each."""

    currency: str
    products: dict[UUID, ProductRow]
    skus: dict[str, SkuRow]
    categories: dict[str, UUID]
    others: dict[UUID, set[tuple[str, ...]]]
    counts: dict[UUID, int]
    on_sale: frozenset[UUID]  # products whose kind of goods stays as it is


class Plan(msgspec.Struct):
    new_products: list[ProductRow] = []
    changed_products: list[ProductRow] = []
    renamed_products: list[UUID] = []
    new_skus: list[SkuRow] = []
    changed_skus: list[SkuRow] = []
    retold_skus: list[UUID] = []  # are found by another text than before
    unchanged: int = 0
    problems: list[LineProblem] = []


def make(file: File, known: Known) -> Plan:
    """Pure, and slow for a large file: call it in a thread."""
    return _Planning(file, known).done()


class _Planning:
    def __init__(self, file: File, known: Known) -> None:
        self._file = file
        self._known = known
        self._problems = list(file.problems)
        self._there = known.products
        self._ids = {product.reference: product.id for product in known.products.values() if product.reference}
        self._products: dict[UUID, ProductRow] = {}  # as they will be
        self._said: dict[tuple[UUID, str], tuple[str, int]] = {}  # what a line said of a product, and which one
        self._plan = Plan()

    def done(self) -> Plan:
        seen: dict[str, int] = {}
        for line in self._file.lines:
            for column, text in (*line.cells.items(), *line.choices.items()):
                self._check_text(line, column, text)
            reference = line.cells.get("reference")
            if not reference:
                self._wrong(line, "reference", "It is empty: a SKU is known by its reference.")
            elif (first := seen.setdefault(reference, line.number)) != line.number:
                self._wrong(line, "reference", f"Line {first} has this reference already.")
            elif (product := self._product(line, self._known.skus.get(reference))) is not None:
                self._sku(line, reference, product)
        self._check_variants()
        self._sort_products()
        self._plan.problems = sorted(self._problems, key=lambda problem: problem.line)
        return self._plan

    def _wrong(self, line: Line, field: str, why: str) -> None:
        self._problems.append(LineProblem(line.number, field, why))

    def _check_text(self, line: Line, column: str, text: str) -> None:
        if len(text) > (most := LENGTHS.get(column, 200)):
            self._wrong(line, column, f"It has more than {most} characters.")
        elif _UNSEEN.search(text):
            self._wrong(line, column, "It holds a control character.")

    def _product(self, line: Line, sku: SkuRow | None) -> ProductRow | None:
        """The product of the line with what the line says of it; None when there is none to be had."""
        reference = line.cells.get("product_reference")
        if reference is None:
            return self._own_product(line, sku)
        product = self._working(self._ids.setdefault(reference, new_id()), reference)
        if sku is not None and sku.product_id != product.id:
            self._wrong(line, "product_reference", "This SKU belongs to another product, and stays there.")
            return None
        self._say(line, product)
        if not product.name:
            self._wrong(line, "product_name", "A product that is new needs a name.")
            product.name = "?"  # told once
        return product

    def _own_product(self, line: Line, sku: SkuRow | None) -> ProductRow | None:
        if sku is None:
            self._wrong(line, "product_reference", "A SKU that is new needs its product's reference.")
            return None
        for column in ("product_name", "description", "kind", "category", "product_state"):
            if column in line.cells:
                self._wrong(line, column, "Without the product's reference a line says nothing of its product.")
        return self._working(sku.product_id, "")

    def _working(self, product_id: UUID, reference: str) -> ProductRow:
        """The product as it will be, to be changed."""
        if product_id not in self._products:
            there = self._there.get(product_id)
            self._products[product_id] = msgspec.structs.replace(there) if there else ProductRow(product_id, reference)
        return self._products[product_id]

    def _say(self, line: Line, product: ProductRow) -> None:
        for column, name in (("product_name", "name"), ("description", "description"), ("kind", "category"), ("product_state", "state")):
            if (text := self._said_of(line, product, column)) is not None:
                value = STATE_WORDS.get(text) if name == "state" else text
                if value is None:
                    self._wrong(line, column, f"It is one of {', '.join(STATE_WORDS)}.")
                elif name == "category" and value not in capabilities.CATEGORIES:
                    self._wrong(line, column, f"It is one of {', '.join(capabilities.CATEGORIES)}.")
                elif name == "category" and value != product.category and product.id in self._known.on_sale:
                    self._wrong(line, column, "The product is on sale as what it is.")
                else:
                    setattr(product, name, value)
        if (path := self._said_of(line, product, "category")) is not None:
            path = "/".join(part.strip() for part in path.split("/"))
            if path not in self._known.categories:
                self._wrong(line, "category", f"There is no category {path!r}. Name it from the top: Games/Steam.")
            else:
                product.category_id = self._known.categories[path]

    def _said_of(self, line: Line, product: ProductRow, column: str) -> str | None:
        """What the line says of its product, unless that was said before."""
        text = line.cells.get(column)
        if text is None:
            return None
        before, number = self._said.setdefault((product.id, column), (text, line.number))
        if before != text:
            self._wrong(line, column, f"Line {number} says another thing of the same product.")
        return text if number == line.number else None

    def _sku(self, line: Line, reference: str, product: ProductRow) -> None:
        there = self._known.skus.get(reference)
        sku = msgspec.structs.replace(there) if there else SkuRow(new_id(), product.id, reference)
        for column, name in (("price", "price_minor"), ("cost", "cost_minor")):
            if (amount := self._amount(line, column)) is not None:
                setattr(sku, name, amount)
        for name in ("name", "face_value", "usage_note", "code_pattern"):
            if name in line.cells:
                setattr(sku, name, line.cells[name])
        if "state" in line.cells:
            sku.state = STATE_WORDS.get(line.cells["state"], "")
            if not sku.state:
                self._wrong(line, "state", f"It is one of {', '.join(STATE_WORDS)}.")
        if "code_pattern" in line.cells:
            try:
                re.compile(line.cells["code_pattern"])
            except re.error as error:
                self._wrong(line, "code_pattern", f"It is no regular expression: {error}.")
        if line.choices:
            self._choose(line, sku, product)
        if there is None and "price" not in line.cells:
            self._wrong(line, "price", "A SKU that is new needs a price.")
        sku.name = sku.name or " / ".join(sku.choices) or product.name
        if there is None:
            self._plan.new_skus.append(sku)
        elif sku != there:
            self._plan.changed_skus.append(sku)
            if (sku.name, sku.choices) != (there.name, there.choices):
                self._plan.retold_skus.append(sku.id)
        else:
            self._plan.unchanged += 1

    def _amount(self, line: Line, column: str) -> int | None:
        if column not in line.cells:
            return None
        try:
            amount = minor_units(line.cells[column], self._known.currency)
        except ValueError:
            self._wrong(line, column, f"{line.cells[column][:32]!r} is no amount in {self._known.currency}, such as 19.90.")
            return None
        if not (1 if column == "price" else 0) <= amount <= PRICE_MAX:
            self._wrong(line, column, "It is too small or too large.")
            return None
        return amount

    def _choose(self, line: Line, sku: SkuRow, product: ProductRow) -> None:
        """Give the SKU its choices; its product learns values that it does not have, and options if it has no variant yet."""
        if not product.options and not self._known.others.get(product.id):
            product.options = [Option(name, []) for name in list(line.choices)[:AXES_MAX]]
        grown = [
            Option(each.name, [*each.values, *([value] if (value := line.choices.get(each.name)) and value not in each.values else [])])
            for each in product.options
        ]
        try:
            sku.choices = options.chosen(grown, line.choices)
        except Unprocessable as error:
            self._wrong(line, "option", error.detail)
            return
        if any(len(each.values) > VALUES_MAX for each in grown):
            self._wrong(line, "option", f"An option has at most {VALUES_MAX} values.")
        else:
            product.options = grown

    def _check_variants(self) -> None:
        """No two SKUs of a product are the same variant, and no product has too many."""
        numbers = {line.cells.get("reference"): line.number for line in self._file.lines}
        taken = {product_id: set(choices) for product_id, choices in self._known.others.items()}
        for sku in self._known.skus.values():
            taken.setdefault(sku.product_id, set()).discard(tuple(sku.choices))
        replaced = {sku.reference: sku for sku in (*self._plan.new_skus, *self._plan.changed_skus)}
        for sku in ({each.reference: each for each in self._known.skus.values()} | replaced).values():
            variants = taken.setdefault(sku.product_id, set())
            if sku.choices and tuple(sku.choices) in variants:
                self._problems.append(LineProblem(numbers.get(sku.reference, 0), "option", "The product has this variant already."))
            variants.add(tuple(sku.choices))
        new = Counter(sku.product_id for sku in self._plan.new_skus)
        for sku in self._plan.new_skus:
            if new[sku.product_id] + self._known.counts.get(sku.product_id, 0) > SKUS_MAX:
                problem = LineProblem(numbers.get(sku.reference, 0), "product_reference", f"A product has at most {SKUS_MAX:,} SKUs.")
                self._problems.append(problem)
                new[sku.product_id] = 0  # told once

    def _sort_products(self) -> None:
        for product_id, product in self._products.items():
            there = self._there.get(product_id)
            if there is None:
                self._plan.new_products.append(product)
            elif product != there:
                self._plan.changed_products.append(product)
                if product.name != there.name:
                    self._plan.renamed_products.append(product.id)


def as_json(rows: Sequence[Any]) -> str:
    return msgspec.json.encode(rows).decode()
