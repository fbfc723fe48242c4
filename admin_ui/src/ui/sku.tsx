import { Select, type SelectProps } from "antd";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { askSkus, useSkuNamed, type Sku } from "../api/skus";
import { useWords } from "../shell/words";
import { CopyId } from "./copy_id";

/** `Video membership · One year`; a product with one SKU of the same name is named once. */
export function skuTitle(sku: Pick<Sku, "name" | "product_name">): string {
  return sku.name === sku.product_name ? sku.name : `${sku.product_name} · ${sku.name}`;
}

/** A SKU by its name. Those of one page are asked for together. */
export function SkuName({ id }: { id: string }) {
  const { data } = useSkuNamed(id);
  return data ? <span title={data.reference ?? id}>{skuTitle(data)}</span> : <CopyId id={id} />;
}

/** A text as it was when nobody has typed for a moment. */
export function useCalm(text: string, ms = 250): string {
  const [calm, setCalm] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(text), ms);
    return () => clearTimeout(timer);
  }, [text, ms]);
  return calm;
}

interface Props extends Pick<SelectProps<string>, "id" | "value" | "onChange" | "disabled" | "allowClear" | "style"> {
  label?: string;
  /** Which SKUs may be chosen: by their type's stock, for one. */
  only?: (sku: Sku) => boolean;
}

/** Chooses a SKU by words of its name, its product's or its reference. */
export function SkuPicker({ only = () => true, label, ...select }: Props) {
  const t = useWords("skus");
  const [words, setWords] = useState("");
  const q = useCalm(words.trim());
  const chosen = useSkuNamed(select.value ?? undefined);
  const found = useQuery({
    queryKey: ["skus", "picker", q],
    queryFn: () => askSkus({ limit: 30, ...(q ? { q } : {}) }),
    staleTime: 30_000,
  });
  const rows = (found.data?.rows ?? []).filter(only);
  const shown = chosen.data && !rows.some((sku) => sku.id === chosen.data?.id) ? [chosen.data, ...rows] : rows;
  return (
    <Select<string>
      {...select} showSearch={{ filterOption: false, onSearch: setWords }} loading={found.isFetching} aria-label={label ?? t("sku.choose")}
      placeholder={t("sku.choose")} style={{ minWidth: 240, ...select.style }} notFoundContent={found.isFetching ? t("loading") : t("sku.none")}
      options={shown.map((sku) => ({ value: sku.id, label: sku.reference ? `${skuTitle(sku)} (${sku.reference})` : skuTitle(sku) }))}
    />
  );
}
