import { Drawer, Skeleton, Tabs } from "antd";
import { useProduct, type Product } from "@/api/products";
import { useSku, type Sku } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, ProblemNote } from "@/ui";
import { skuTitle } from "@/ui/sku";
import { EditSku } from "./edit";
import type { Panel } from "./grid_section";
import { useTypeOf } from "./form";
import { PicksPanel } from "./picks";
import { HistoryPanel } from "./history";
import { ShelfPanel } from "./shelf";
import { StockPanel } from "./stock";
import { NamesPanel } from "./names";

interface Props {
  sku: Sku;
  product?: Product;
  panel: Panel;
  onPanel: (panel: Panel) => void;
  onClose: () => void;
}

/** All there is of one SKU. */
export function SkuDrawer({ sku, product, panel, onPanel, onClose }: Props) {
  const t = useWords("skus");
  const may = useMay();
  const asked = useProduct(sku.product_id);
  const of = product ?? asked.data?.value;
  const { data, error } = useSku(sku.id);
  const type = useTypeOf(sku.type);
  const panels: { key: Panel; shown: boolean; children: React.ReactNode }[] = [
    { key: "edit", shown: true, children: of && data && <EditSku sku={data.value} etag={data.etag} product={of} /> },
    { key: "shelf", shown: may("sales:read"), children: <ShelfPanel sku={sku} /> },
    { key: "stock", shown: may("vault:read") && type?.stock !== "parts", children: type && <StockPanel id={sku.id} type={type} /> },
    { key: "picks", shown: type?.picked ?? false, children: <PicksPanel id={sku.id} currency={sku.currency} /> },
    { key: "history", shown: may("prices:read"), children: <HistoryPanel id={sku.id} currency={sku.currency} /> },
    { key: "words", shown: true, children: <NamesPanel id={sku.id} name={sku.name} /> },
  ];
  const shown = panels.filter((each) => each.shown);
  return (
    <Drawer open onClose={onClose} size={680} destroyOnHidden title={<span className="row">{skuTitle(sku)} <CopyId id={sku.id} /></span>}>
      {error && <ProblemNote error={error} noun="skus" />}
      {!data && !error ? (
        <Skeleton active />
      ) : (
        <Tabs
          activeKey={shown.some((each) => each.key === panel) ? panel : "edit"} onChange={(key) => onPanel(key as Panel)} destroyOnHidden
          items={shown.map(({ key, children }) => ({ key, label: t(`panel.${key}`), children }))}
        />
      )}
    </Drawer>
  );
}
