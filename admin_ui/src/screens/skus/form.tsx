import { Flex, Form, Input, Radio, Select, type FormInstance } from "antd";
import { useMemo, useState } from "react";
import { useTypes, type Product, type TypeView } from "@/api/products";
import { Problem } from "@/api/problem";
import { useCreateSku } from "@/api/skus";
import { useSession } from "@/shell/session";
import { useLanguage, useWords } from "@/shell/words";
import { FormDrawer } from "@/ui";
import { amountText, parseAmount } from "./amount";
import { begun, fieldsOf, told, type Schema } from "./schema";
import { SchemaForm } from "./schema_form";

export interface SkuForm {
  name: string;
  price: string;
  cost?: string;
  reference?: string;
  face_value?: string;
  usage_note?: string;
  code_pattern?: string;
  choices?: Record<string, string>;
  state: "published" | "draft" | "archived";
  config?: Record<string, unknown>;
}

export function useTypeOf(name: string | undefined): TypeView | undefined {
  return useTypes().data?.find((each) => each.name === name);
}

export function useFields(type: TypeView | undefined) {
  return useMemo(() => (type ? fieldsOf(type.config as Schema) : []), [type]);
}

/** A refusal of one field stands there; others are told above the form. */
export function atField(t: (key: string) => string) {
  return (error: unknown, form: Pick<FormInstance, "setFields">): boolean => {
    const { code } = Problem.from(error);
    const of: Record<string, keyof SkuForm> = { reference_taken: "reference", bad_code_pattern: "code_pattern" };
    const field = of[code];
    if (field === undefined) return false;
    form.setFields([{ name: field, errors: [t(`refusal.${code}`)] }]);
    return true;
  };
}

/** What the fields say that every type has, as the API takes it. */
export function commonOf(values: SkuForm, currency: string) {
  const minor = (text: string | undefined) => {
    const amount = text?.trim() ? parseAmount(text, currency) : null;
    return amount && "minor" in amount ? amount.minor : null;
  };
  return {
    name: values.name.trim(), price_minor: minor(values.price) ?? 0, cost_minor: minor(values.cost), reference: values.reference?.trim() || null,
    face_value: values.face_value?.trim() || null, usage_note: values.usage_note ?? "", code_pattern: values.code_pattern?.trim() || null,
    state: values.state, ...(values.choices ? { choices: values.choices } : {}),
  };
}

export function MoneyItem({ name, label, needed = false, hint }: { name: string | (string | number)[]; label: string; needed?: boolean; hint?: string }) {
  const t = useWords("skus");
  const { store } = useSession();
  const check = (_: unknown, text?: string) => {
    if (!text?.trim()) return needed ? Promise.reject(new Error(t("field.needed"))) : Promise.resolve();
    const amount = parseAmount(text, store.currency);
    if ("wrong" in amount) return Promise.reject(new Error(t(`wrong.${amount.wrong}`)));
    return needed && amount.minor === 0 ? Promise.reject(new Error(t("wrong.zero"))) : Promise.resolve();
  };
  return (
    <Form.Item name={name} label={label} required={needed} rules={[{ validator: check }]} extra={hint} style={{ flex: "1 1 160px" }}>
      <Input inputMode="decimal" suffix={<span className="muted">{store.currency}</span>} placeholder={amountText(0, store.currency)} autoComplete="off" />
    </Form.Item>
  );
}

/** What a SKU says of itself, whatever its type. */
export function CommonFields({ product, type }: { product?: Pick<Product, "options"> | undefined; type: TypeView | undefined }) {
  const t = useWords("skus");
  return (
    <>
      {product?.options.map((option) => (
        <Form.Item key={option.name} name={["choices", option.name]} label={option.name} rules={[{ required: true, message: t("field.needed") }]}>
          <Select options={option.values.map((value) => ({ value, label: value }))} />
        </Form.Item>
      ))}
      <Form.Item name="name" label={t("column.name")} extra={t("field.name_hint")} rules={[{ required: true, whitespace: true, message: t("field.needed") }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Flex gap="0 16px" wrap>
        <MoneyItem name="price" label={t("column.price_minor")} needed />
        <MoneyItem name="cost" label={t("column.cost_minor")} hint={t("field.cost_hint")} />
      </Flex>
      <Flex gap="0 16px" wrap>
        <Form.Item name="reference" label={t("column.reference")} extra={t("field.reference_hint")} style={{ flex: "1 1 160px" }}>
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="face_value" label={t("column.face_value")} style={{ flex: "1 1 160px" }}>
          <Input maxLength={64} placeholder={t("field.face_value_example")} />
        </Form.Item>
      </Flex>
      {type?.stock === "imported" && (
        <Form.Item name="code_pattern" label={t("field.code_pattern")} extra={t("field.code_pattern_hint")}>
          <Input maxLength={200} placeholder="[A-Z0-9]{4}(-[A-Z0-9]{4}){3}" style={{ fontFamily: "var(--ant-font-family-code)" }} />
        </Form.Item>
      )}
      <Form.Item name="usage_note" label={t("column.usage_note")} extra={t("field.usage_note_hint")}>
        <Input.TextArea maxLength={5000} rows={2} />
      </Form.Item>
      <Form.Item name="state" label={t("column.state")}>
        <Radio.Group options={(["published", "draft", "archived"] as const).map((value) => ({ value, label: t(`state.sku.${value}`) }))} />
      </Form.Item>
    </>
  );
}

export function NewSku({ product, onClose }: { product: Product; onClose: () => void }) {
  const t = useWords("skus");
  const { store } = useSession();
  const create = useCreateSku();
  const [typeName, setTypeName] = useState("code");
  const type = useTypeOf(typeName);
  const fields = useFields(type);
  return (
    <FormDrawer<SkuForm>
      open title={t("create")} ok={t("create")} noun="skus" size={600} onClose={onClose} onProblem={atField(t)}
      initial={{ name: product.options.length ? "" : product.name, state: "published" }}
      onSubmit={(values) => create.mutateAsync({ product_id: product.id, type: typeName, config: told(fields, values.config ?? {}), ...commonOf(values, store.currency) })}
    >
      {(form) => (
        <>
          <TypeChoice
            value={typeName}
            onChange={(next, of) => {
              setTypeName(next);
              form.setFieldValue("config", begun(fieldsOf(of.config as Schema)));
            }}
          />
          {fields.length > 0 && <SchemaForm key={typeName} fields={fields} at={["config"]} />}
          <CommonFields product={product} type={type} />
        </>
      )}
    </FormDrawer>
  );
}

export function TypeChoice({ value, onChange }: { value: string; onChange: (name: string, type: TypeView) => void }) {
  const t = useWords("skus");
  const { language } = useLanguage();
  const types = useTypes().data ?? [];
  const chosen = types.find((each) => each.name === value);
  return (
    <Form.Item label={t("field.type")} htmlFor="sku-type" extra={chosen?.summary[language]}>
      <Select
        id="sku-type" value={value} options={types.map((each) => ({ value: each.name, label: each.label[language] ?? each.name }))}
        onChange={(name) => onChange(name, types.find((each) => each.name === name)!)}
      />
    </Form.Item>
  );
}
