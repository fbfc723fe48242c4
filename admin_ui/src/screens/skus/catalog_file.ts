import { pathsOf, type Category } from "@/api/categories";
import { productPages, type Product } from "@/api/products";
import { everyPage } from "@/api/query";
import { askSkus, type Sku } from "@/api/skus";
import { csvOf } from "@/ui/csv";
import { amountText } from "./amount";

const PRODUCTS_MAX = 100_000;
const COLUMNS = [
  "reference", "product_reference", "product_name", "description", "product_state", "category", "kind", "name", "price", "cost", "face_value",
  "usage_note", "code_pattern", "state",
];

/** The catalogue as a file that can be read in again: a SKU a line, its product beside it, a column for each option. */
export function catalogFile(skus: Sku[], products: Product[], categories: Category[]): string {
  const known = new Map(products.map((product) => [product.id, product]));
  const paths = pathsOf(categories);
  const axes = [...new Set(products.flatMap((product) => product.options.map((option) => option.name)))];
  const rows = skus.map((sku) => {
    const product = known.get(sku.product_id);
    return [
      sku.reference, product?.reference ?? null, product?.name ?? sku.product_name, product?.description ?? "", product?.state ?? "",
      product?.category_id ? (paths.get(product.category_id) ?? "").replaceAll(" / ", "/") : "", product?.category ?? "", sku.name,
      amountText(sku.price_minor, sku.currency), amountText(sku.cost_minor, sku.currency), sku.face_value, sku.usage_note, sku.code_pattern, sku.state,
      ...axes.map((axis) => sku.choices[axis] ?? ""),
    ];
  });
  return csvOf([[...COLUMNS, ...axes.map((axis) => `option:${axis}`)], ...rows]);
}

/** All SKUs, page by page; `far` hears how many there are so far. */
export async function readCatalog(far: (done: number) => void, isOver: () => boolean): Promise<{ skus: Sku[]; products: Product[] }> {
  const skus: Sku[] = [];
  let cursor: string | null = "";
  while (cursor !== null && !isOver()) {
    const page: { rows: Sku[]; next: string | null } = await askSkus(cursor ? { limit: 100, cursor } : { limit: 100 });
    skus.push(...page.rows);
    cursor = page.next;
    far(skus.length);
  }
  const products = await everyPage((page) => productPages({})(page).queryFn(), PRODUCTS_MAX);
  return { skus: skus.reverse(), products };
}
