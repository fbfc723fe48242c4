import { PlusOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Card, Skeleton } from "antd";
import { useCallback, useMemo, useState } from "react";
import type { Product } from "@/api/products";
import { everyPage } from "@/api/query";
import { askSkus, type Sku } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, ProblemNote } from "@/ui";
import { SkuDrawer } from "./drawer";
import { NewSku } from "./form";
import { GridSection, type Panel } from "./grid_section";
import { Variants } from "./variants";

/** The SKUs of a product, all of them (at most 1,000), edited in place. */
export function ProductSkus({ product }: { product: Product }) {
  const t = useWords("skus");
  const may = useMay();
  const [making, setMaking] = useState<"one" | "variants" | null>(null);
  const [open, setOpen] = useState<{ sku: Sku; panel: Panel } | null>(null);
  const query = useQuery({ queryKey: ["skus", "of", product.id], queryFn: () => everyPage((page) => askSkus({ product_id: product.id, ...page })) });
  // Newest first says the API; a product's variants are read in the order they were made in.
  const skus = useMemo(() => query.data && [...query.data].reverse(), [query.data]);
  const show = useCallback((sku: Sku, panel: Panel) => setOpen({ sku, panel }), []);
  const canEdit = may("catalog:write");
  const add = canEdit && (
    <span className="row">
      {product.options.length > 0 && <Button onClick={() => setMaking("variants")}>{t("variants.title")}</Button>}
      <Button type={skus?.length ? "default" : "primary"} icon={<PlusOutlined />} onClick={() => setMaking("one")}>{t("create")}</Button>
    </span>
  );
  return (
    <Card size="small" title={t("of_product", { n: skus?.length ?? 0 })} extra={skus?.length ? add : null}>
      {query.error && <ProblemNote error={query.error} noun="skus" />}
      {query.isPending && <Skeleton active />}
      {skus && skus.length === 0 && <Empty title={t("empty.title")} text={t("empty.text")} action={add} />}
      {skus && skus.length > 0 && <GridSection skus={skus} withProduct={false} onOpen={show} />}
      {making === "one" && <NewSku product={product} onClose={() => setMaking(null)} />}
      {making === "variants" && <Variants product={product} there={skus ?? []} onClose={() => setMaking(null)} />}
      {open && <SkuDrawer sku={open.sku} product={product} panel={open.panel} onPanel={(panel) => setOpen({ ...open, panel })} onClose={() => setOpen(null)} />}
    </Card>
  );
}
