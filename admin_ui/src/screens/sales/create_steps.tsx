import { Alert, DatePicker, Form, Input, InputNumber, Radio, Select, Switch, type FormInstance } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useSkuChoices, useSkuStock, useStoreChannels } from "@/api/sales";
import { useLanguage, useWords } from "@/shell/words";
import { useMay, useSession } from "@/shell/session";
import { digitsOf, inZone, minorOf, moneyText } from "@/ui";
import type { Wish } from "./wish";

export function Goods({ form, wish }: { form: FormInstance<Wish>; wish: Wish }) {
  const t = useWords("sales");
  const { language } = useLanguage();
  const may = useMay();
  const [q, setQ] = useState("");
  const skus = useSkuChoices(q, may("catalog:read"));
  const stock = useSkuStock(wish.sku_id).data;
  const loose = stock?.stock.unallotted;
  const options = (skus.data ?? []).map((sku) => ({ value: sku.id, label: `${sku.name} · ${moneyText(sku.price_minor, sku.currency, language)}`, sku }));
  const choose = (_: string, chosen: unknown) => {
    const { sku } = chosen as (typeof options)[number];
    const price = (sku.price_minor / 10 ** digitsOf(sku.currency)).toFixed(digitsOf(sku.currency));
    form.setFieldsValue({ currency: sku.currency, price, name: form.getFieldValue("name") || sku.name });
  };
  const money = (_: unknown, text: string) => (minorOf(text ?? "", wish.currency) ? Promise.resolve() : Promise.reject(new Error(t("price.wrong"))));
  return (
    <>
      <Form.Item name="sku_id" label={t("sku")} rules={[{ required: true, message: t("sku.missing") }]}>
        <Select
          showSearch={{ filterOption: false, onSearch: setQ }} options={options} onChange={choose} loading={skus.isFetching} placeholder={t("sku.choose")}
          notFoundContent={t("sku.none")}
        />
      </Form.Item>
      <Form.Item name="currency" hidden><Input /></Form.Item>
      {loose === 0 && <Alert type="warning" showIcon style={{ marginBottom: 16 }} title={t("stock.none")} description={<Link to="/vault/imports">{t("stock.load")}</Link>} />}
      <Form.Item name="name" label={t("name")} extra={t("name.about")} rules={[{ required: true, whitespace: true, message: t("name.missing") }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="units" label={t("units.label")} extra={loose === undefined ? undefined : t("units.loose", { n: loose.toLocaleString() })} rules={[{ required: true, message: t("units.missing") }]}>
        <InputNumber min={1} max={loose && loose > 0 ? loose : 10_000_000} precision={0} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="price" label={t("price")} required rules={[{ validator: money }]}>
        <Input inputMode="decimal" suffix={wish.currency} />
      </Form.Item>
    </>
  );
}

export function Hours({ wish }: { wish: Wish }) {
  const t = useWords("sales");
  const { store } = useSession();
  const ends = (_: unknown, picked: Wish["ends"]) => {
    const at = inZone(picked ?? null, store.zone);
    const from = inZone(wish.starts, store.zone);
    return at !== null && (at.valueOf() <= Date.now() || (from !== null && !at.isAfter(from))) ? Promise.reject(new Error(t("ends.wrong"))) : Promise.resolve();
  };
  return (
    <>
      <Form.Item name="starts" label={t("starts")} extra={t("starts.about", { zone: store.zone })}>
        <DatePicker showTime={{ format: "HH:mm:ss" }} format="YYYY-MM-DD HH:mm:ss" style={{ width: "100%" }} placeholder={t("starts.now")} />
      </Form.Item>
      <Form.Item name="ends" label={t("ends")} dependencies={["starts"]} rules={[{ validator: ends }]}>
        <DatePicker showTime={{ format: "HH:mm:ss" }} format="YYYY-MM-DD HH:mm:ss" style={{ width: "100%" }} placeholder={t("no_end")} />
      </Form.Item>
      <Form.Item name="limit" label={t("limit")} extra={t("limit.about")} rules={[{ required: true, message: t("limit.missing") }]}>
        <InputNumber min={0} max={1000} precision={0} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="hold_minutes" label={t("hold")} extra={t("hold.about")} rules={[{ required: true, message: t("hold.missing") }]}>
        <InputNumber min={0.5} max={1440} step={5} suffix={t("hold.unit")} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="door" label={t("door")} extra={t(`door.${wish.door}.about`)}>
        <Radio.Group optionType="button" options={(["direct", "gate"] as const).map((value) => ({ value, label: t(`door.${value}`) }))} />
      </Form.Item>
      <Form.Item name="fallback_per_s" label={t("fallback")} extra={t("fallback.about")} hidden={wish.door !== "gate"}>
        <InputNumber min={0} max={1000} precision={0} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="waiting_room" label={t("room")} extra={t(`room.${wish.waiting_room}.about`)} hidden={wish.door !== "gate"}>
        <Radio.Group optionType="button" options={(["off", "line", "draw"] as const).map((value) => ({ value, label: t(`room.${value}`) }))} />
      </Form.Item>
    </>
  );
}

export function Where({ wish }: { wish: Wish }) {
  const t = useWords("sales");
  const may = useMay();
  const channels = useStoreChannels(may("store:read")).data ?? [];
  const options = channels.filter((each) => each.is_enabled).map((each) => ({ value: each.code, label: each.name }));
  return (
    <>
      <Form.Item name="everywhere" label={t("everywhere")} valuePropName="checked" extra={t("everywhere.about")}>
        <Switch />
      </Form.Item>
      <Form.Item name="channels" label={t("channels")} hidden={wish.everywhere} rules={wish.everywhere ? [] : [{ required: true, type: "array", min: 1, message: t("channels.missing") }]}>
        <Select mode="multiple" options={options} optionFilterProp="label" />
      </Form.Item>
    </>
  );
}
