import { Alert, Button, Form, InputNumber, Radio, Switch } from "antd";
import { usePutOnShelf, useSkuNamed, useTakeOffShelf, type Sku } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { ProblemNote, useConfirm, useSay } from "@/ui";

interface ShelfForm {
  how: "all" | "some";
  units?: number;
  limit_per_shopper: number;
  hold_min: number;
  takes_new_stock: boolean;
}

/** On the shelf, where orders with a cart buy; or off it. */
export function ShelfPanel({ sku }: { sku: Sku }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const confirm = useConfirm("skus");
  const shelf = useSkuNamed(sku.id).data?.shelf ?? null;
  const put = usePutOnShelf();
  const off = useTakeOffShelf();
  const send = async (values: ShelfForm) => {
    await put.mutateAsync({
      id: sku.id, units: values.how === "all" ? "all" : (values.units ?? 0), limit_per_shopper: values.limit_per_shopper,
      hold_s: Math.round(values.hold_min * 60), takes_new_stock: values.takes_new_stock,
    });
    say.done(t(shelf ? "saved" : "shelf.is_on"));
  };
  return (
    <div className="stack">
      {shelf ? (
        <Alert
          type={shelf.state === "open" ? "success" : "warning"} showIcon title={t(`shelf.${shelf.state}`, { n: shelf.free })}
          action={
            may("sales:write") && (
              <Button size="small" danger onClick={() => confirm({ title: t("shelf.off"), text: t("shelf.off_text", { n: shelf.free }), ok: t("shelf.off"), danger: true, act: () => off.mutateAsync(sku.id).then(() => say.done(t("shelf.is_off"))) })}>
                {t("shelf.off")}
              </Button>
            )
          }
        />
      ) : (
        <Alert type="info" showIcon title={t("shelf.not")} />
      )}
      {may("sales:write") && (
        <Form<ShelfForm>
          key={shelf?.sale_id ?? "none"} layout="vertical" onFinish={(values) => void send(values).catch(() => undefined)}
          initialValues={{ how: "all", limit_per_shopper: shelf?.limit_per_shopper ?? 0, hold_min: 15, takes_new_stock: shelf?.takes_new_stock ?? true }}
        >
          <Form.Item name="how" label={t("shelf.units")} extra={t("shelf.units_hint")}>
            <Radio.Group options={[{ value: "all", label: t("shelf.all") }, { value: "some", label: t("shelf.some") }]} />
          </Form.Item>
          <Form.Item noStyle dependencies={["how"]}>
            {({ getFieldValue }) =>
              getFieldValue("how") === "some" && (
                <Form.Item name="units" label={t("shelf.count")} rules={[{ required: true, message: t("field.needed") }]}>
                  <InputNumber min={0} max={10_000_000} precision={0} style={{ width: 160 }} />
                </Form.Item>
              )
            }
          </Form.Item>
          <Form.Item name="limit_per_shopper" label={t("column.limit_per_shopper")} extra={t("shelf.limit_hint")}>
            <InputNumber min={0} max={1000} precision={0} style={{ width: 160 }} />
          </Form.Item>
          <Form.Item name="hold_min" label={t("shelf.hold")} extra={t("shelf.hold_hint")}>
            <InputNumber min={1} max={1440} precision={0} style={{ width: 160 }} />
          </Form.Item>
          <Form.Item name="takes_new_stock" label={t("shelf.takes")} valuePropName="checked" extra={t("shelf.takes_hint")}>
            <Switch />
          </Form.Item>
          {put.error && <ProblemNote error={put.error} noun="skus" style={{ marginBottom: 12 }} />}
          <Button type="primary" htmlType="submit" loading={put.isPending}>{t(shelf ? "save" : "shelf.on")}</Button>
        </Form>
      )}
    </div>
  );
}
