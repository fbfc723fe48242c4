import { DeleteOutlined, EditOutlined, PlusOutlined, TagsOutlined } from "@ant-design/icons";
import { Button, Form, InputNumber, Skeleton } from "antd";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { pricePages, useChangePriceList, usePriceList, usePutPrices, useRemovePriceList, type ListedPrice } from "@/api/prices";
import { useSkuNamed } from "@/api/skus";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { amountText, parseAmount } from "@/screens/skus/amount";
import { MoneyItem } from "@/screens/skus/form";
import { Empty, FormDrawer, ListTable, Moment, Money, Page, ProblemNote, useConfirm, type Column } from "@/ui";
import { SkuName, SkuPicker } from "@/ui/sku";
import { bodyOf, formOf, ListFields, type ListForm } from "./form";
import { Standing } from "./list";

interface PriceForm {
  sku_id: string;
  tiers: { least_quantity: number; price: string }[];
}

/** One list: for whom, and what each SKU costs on it from which quantity on. */
export default function PriceListPage() {
  const t = useWords("prices");
  const may = useMay();
  const navigate = useNavigate();
  const confirm = useConfirm("prices");
  const { store } = useSession();
  const { id = "" } = useParams();
  const list = usePriceList(id);
  const change = useChangePriceList(id);
  const put = usePutPrices(id);
  const remove = useRemovePriceList();
  const [editing, setEditing] = useState(false);
  const [priced, setPriced] = useState<Partial<PriceForm> | null>(null);
  if (list.error) return <Page title={t("title")} back="/prices"><ProblemNote error={list.error} noun="prices" /></Page>;
  if (!list.data) return <Page title={t("title")} back="/prices"><Skeleton active /></Page>;
  const { value, etag } = list.data;
  const canEdit = may("prices:write");
  const open = (entry: ListedPrice) => setPriced({ sku_id: entry.sku_id, tiers: [{ least_quantity: entry.least_quantity, price: amountText(entry.unit_minor, store.currency) }] });
  const columns: Column<ListedPrice>[] = [
    { key: "sku", title: t("column.sku"), render: (entry) => <SkuName id={entry.sku_id} />, width: 280 },
    { key: "least", title: t("column.least"), align: "right", render: (entry) => t("from", { n: entry.least_quantity }) },
    { key: "price", title: t("column.price"), align: "right", render: (entry) => <Money minor={entry.unit_minor} currency={store.currency} /> },
    { key: "own", title: t("column.own"), align: "right", render: (entry) => <OwnPrice entry={entry} /> },
    { key: "since", title: t("column.since"), render: (entry) => <Moment at={entry.since} /> },
    {
      key: "act", title: "", always: true, align: "right",
      render: (entry) =>
        canEdit && (
          <span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
            <Button size="small" icon={<EditOutlined />} aria-label={t("edit")} onClick={() => open(entry)} />
            <Button
              size="small" icon={<DeleteOutlined />} aria-label={t("remove_price")}
              onClick={() => confirm({ title: t("remove_price"), text: t("remove_price_text"), ok: t("remove"), danger: true, act: () => put.mutateAsync([{ sku_id: entry.sku_id, least_quantity: entry.least_quantity, unit_minor: null }]) })}
            />
          </span>
        ),
    },
  ];
  const add = canEdit && <Button type="primary" icon={<PlusOutlined />} onClick={() => setPriced({})}>{t("add")}</Button>;
  return (
    <Page
      title={value.name} back="/prices" extra={<Standing list={value} />} primary={add}
      actions={
        canEdit && (
          <>
            <Button danger onClick={() => confirm({ title: t("remove_list"), text: t("remove_list_text"), ok: t("remove"), danger: true, act: () => remove.mutateAsync(id).then(() => navigate("/prices")) })}>{t("remove_list")}</Button>
            <Button onClick={() => setEditing(true)}>{t("edit_list")}</Button>
          </>
        )
      }
    >
      <ListTable
        id="prices" columns={columns} pages={pricePages(id)} rowKey={(entry) => entry.id} limit={50}
        empty={<Empty picture={<TagsOutlined />} title={t("empty.prices")} text={t("empty.prices_text")} action={add} />}
      />
      {editing && (
        <FormDrawer<ListForm> open title={t("edit_list")} ok={t("save")} noun="prices" onClose={() => setEditing(false)} initial={formOf(value, store.zone)} onSubmit={(values) => change.mutateAsync({ etag, body: bodyOf(values) })}>
          <ListFields />
        </FormDrawer>
      )}
      {priced && (
        <FormDrawer<PriceForm>
          open title={t("add")} ok={t("save")} noun="prices" onClose={() => setPriced(null)} initial={{ tiers: [{ least_quantity: 1, price: "" }], ...priced }}
          onSubmit={({ sku_id, tiers }) =>
            put.mutateAsync(
              tiers.map(({ least_quantity, price }) => {
                const amount = parseAmount(price, store.currency);
                return { sku_id: sku_id ?? priced.sku_id ?? "", least_quantity, unit_minor: "minor" in amount ? amount.minor : null };
              }),
            )
          }
        >
          <Form.Item name="sku_id" label={t("column.sku")} rules={[{ required: true, message: t("needed") }]}>
            <SkuPicker disabled={priced.sku_id !== undefined} />
          </Form.Item>
          <Form.List name="tiers">
            {(rows, tools) => (
              <>
                {rows.map((row) => (
                  <div key={row.key} className="row" style={{ alignItems: "start", flexWrap: "nowrap" }}>
                    <Form.Item name={[row.name, "least_quantity"]} label={t("column.least")} rules={[{ required: true, message: t("needed") }]} style={{ flex: 1 }}>
                      <InputNumber min={1} max={1000} precision={0} style={{ width: "100%" }} />
                    </Form.Item>
                    <MoneyItem name={[row.name, "price"]} label={t("column.price")} needed />
                    {rows.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t("remove")} style={{ marginTop: 30 }} onClick={() => tools.remove(row.name)} />}
                  </div>
                ))}
                {rows.length < 20 && <Button type="dashed" icon={<PlusOutlined />} onClick={() => tools.add({ least_quantity: undefined, price: "" })}>{t("tier")}</Button>}
              </>
            )}
          </Form.List>
          <p className="muted">{t("tier_hint")}</p>
        </FormDrawer>
      )}
    </Page>
  );
}

/** The SKU's own price beside the list's: a price that is not below it says nothing. */
function OwnPrice({ entry }: { entry: ListedPrice }) {
  const t = useWords("prices");
  const { data } = useSkuNamed(entry.sku_id);
  if (!data) return null;
  return (
    <span className={entry.unit_minor < data.price_minor ? "muted" : ""}>
      <Money minor={data.price_minor} currency={data.currency} /> {entry.unit_minor >= data.price_minor && <span title={t("not_below")}>⚠</span>}
    </span>
  );
}
