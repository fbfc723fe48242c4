import { BellOutlined } from "@ant-design/icons";
import { Button, Flex, Form, InputNumber } from "antd";
import { useState } from "react";
import { useUnwatchStock, useWatchStock, watchPages, type Watch } from "@/api/vault";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, FilterChoice, FilterRow, FormDrawer, ListTable, Moment, Page, State, useSay, useUrlFilters, type Column } from "@/ui";
import { SkuName, SkuPicker } from "@/ui/sku";
import { VaultTabs } from "./tabs";

/** Told before a SKU runs out. */
export default function WatchesPage() {
  const t = useWords("vault");
  const say = useSay("vault");
  const may = useMay();
  const filters = useUrlFilters(["stock"] as const);
  const unwatch = useUnwatchStock();
  const [edited, setEdited] = useState<Partial<Watch> | null>(null);
  const columns: Column<Watch>[] = [
    { key: "sku", title: t("column.sku"), render: (watch) => <SkuName id={watch.sku_id} />, width: 280 },
    { key: "state", title: t("column.state"), phone: "head", render: (watch) => <State kind="watch" value={watch.low_since ? "low" : watch.looked_at ? "enough" : "waiting"} noun="vault" tone={watch.low_since ? "bad" : watch.looked_at ? "good" : "plain"} /> },
    { key: "at", title: t("watch.at"), align: "right", render: (watch) => <span className="number">{watch.low_stock_at}</span> },
    { key: "units", title: t("watch.units"), align: "right", render: (watch) => (watch.units === null ? "–" : <span className="number">{watch.units > watch.low_stock_at ? `> ${watch.low_stock_at}` : watch.units}</span>) },
    { key: "since", title: t("watch.since"), render: (watch) => <Moment at={watch.low_since} none="–" /> },
    { key: "looked", title: t("watch.looked"), optional: true, render: (watch) => <Moment at={watch.looked_at} none="–" /> },
    {
      key: "act", title: "", always: true, align: "right",
      render: (watch) =>
        may("vault:write") ? (
          <Flex gap={4} justify="end">
            <Button size="small" onClick={() => setEdited(watch)}>{t("edit")}</Button>
            <Button size="small" onClick={() => unwatch.mutate(watch.sku_id, { onError: say.problem })}>{t("watch.end")}</Button>
          </Flex>
        ) : null,
    },
  ];
  return (
    <Page title={t("title")} about={t("about")} primary={may("vault:write") && <Button type="primary" icon={<BellOutlined />} onClick={() => setEdited({})}>{t("watch.new")}</Button>}>
      <VaultTabs />
      <ListTable
        id="vault-watches" columns={columns} rowKey={(watch) => watch.sku_id} refresh={30_000} filtered={filters.any} onClear={filters.clear}
        pages={watchPages(filters.values.stock === "low" || filters.values.stock === "enough" ? { stock: filters.values.stock } : {})}
        filters={<FilterRow filters={filters}><FilterChoice filters={filters} name="stock" label={t("column.state")} options={["low", "enough"].map((value) => ({ value, label: t(`state.watch.${value}`) }))} /></FilterRow>}
        empty={<Empty picture={<BellOutlined />} title={t("empty.watches")} text={t("empty.watches_text")} />}
      />
      {edited && <WatchForm watch={edited} onClose={() => setEdited(null)} />}
    </Page>
  );
}

function WatchForm({ watch, onClose }: { watch: Partial<Watch>; onClose: () => void }) {
  const t = useWords("vault");
  const put = useWatchStock();
  return (
    <FormDrawer<{ sku_id: string; low_stock_at: number }>
      open title={t("watch.new")} ok={t("save")} noun="vault" onClose={onClose} initial={{ low_stock_at: 20, ...watch } as { sku_id: string; low_stock_at: number }}
      onSubmit={({ sku_id, low_stock_at }) => put.mutateAsync({ sku_id: watch.sku_id ?? sku_id, low_stock_at })}
    >
      {!watch.sku_id && <Form.Item name="sku_id" label={t("column.sku")} rules={[{ required: true, message: t("wizard.sku_first") }]}><SkuPicker /></Form.Item>}
      <Form.Item name="low_stock_at" label={t("watch.at")} extra={t("watch.hint")} rules={[{ required: true, message: t("reason.needed") }]}>
        <InputNumber min={1} max={100_000} precision={0} />
      </Form.Item>
    </FormDrawer>
  );
}
