import { Button, Descriptions, Form } from "antd";
import type { Product } from "@/api/products";
import { useChangeSku, type SkuWithStock } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useLanguage, useWords } from "@/shell/words";
import { ProblemNote, useSay } from "@/ui";
import { amountText } from "./amount";
import { atField, CommonFields, commonOf, useFields, useTypeOf, type SkuForm } from "./form";
import { told } from "./schema";
import { SchemaForm } from "./schema_form";

/** All that a SKU says, and what its type is told. */
export function EditSku({ sku, etag, product }: { sku: SkuWithStock; etag: string; product: Product }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const { language } = useLanguage();
  const [form] = Form.useForm<SkuForm>();
  const change = useChangeSku(sku.id);
  const type = useTypeOf(sku.type);
  const fields = useFields(type);
  if (!type) return null;
  const save = async (values: SkuForm) => {
    const { code_pattern, ...common } = commonOf(values, sku.currency);
    const body = { ...common, config: told(fields, values.config ?? {}), ...(type.stock === "imported" ? { code_pattern } : {}) };
    try {
      await change.mutateAsync({ etag, body });
      say.done(t("saved"));
    } catch (error) {
      if (atField(t)(error, form)) change.reset();
    }
  };
  const initial: SkuForm = {
    name: sku.name, price: amountText(sku.price_minor, sku.currency), cost: amountText(sku.cost_minor, sku.currency), reference: sku.reference ?? "",
    face_value: sku.face_value ?? "", usage_note: sku.usage_note, code_pattern: sku.code_pattern ?? "", choices: sku.choices,
    state: sku.state as SkuForm["state"], config: sku.config,
  };
  return (
    <Form<SkuForm> form={form} layout="vertical" initialValues={initial} disabled={!may("catalog:write")} onFinish={(values) => void save(values)}>
      <Descriptions size="small" column={1} style={{ marginBottom: 12 }} items={[{ key: "type", label: t("field.type"), children: type.label[language] ?? type.name }]} />
      {fields.length > 0 && <SchemaForm fields={fields} at={["config"]} />}
      <CommonFields product={product} type={type} />
      {change.error && <ProblemNote error={change.error} noun="skus" style={{ marginBottom: 12 }} />}
      {may("catalog:write") && <Button type="primary" htmlType="submit" loading={change.isPending}>{t("save")}</Button>}
    </Form>
  );
}
