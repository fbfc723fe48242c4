import { Flex, Form, Input, Radio, TreeSelect, type FormInstance } from "antd";
import { treeOf, useCategories } from "@/api/categories";
import { useCreateProduct, type NewProduct } from "@/api/products";
import { Problem } from "@/api/problem";
import { useWords } from "@/shell/words";
import { FormDrawer } from "@/ui";

const KINDS = ["general", "game_topup", "gift_cards"] as const;

export interface ProductForm {
  name: string;
  description?: string;
  category: NewProduct["category"];
  category_id?: string | null;
  reference?: string;
}

/** What the form says, as the API takes it: what was left empty is none. */
export function bodyOf(values: ProductForm) {
  return {
    name: values.name.trim(), description: values.description ?? "", category: values.category, category_id: values.category_id ?? null,
    reference: values.reference?.trim() || null,
  };
}

/** A refusal that is of one field stands at that field. */
export function atField(t: (key: string) => string) {
  return (error: unknown, form: Pick<FormInstance, "setFields">): boolean => {
    const { code } = Problem.from(error);
    const of: Record<string, keyof ProductForm> = { reference_taken: "reference", product_on_sale: "category", capability_missing: "category" };
    const field = of[code];
    if (field === undefined) return false;
    form.setFields([{ name: field, errors: [t(`refusal.${code}`)] }]);
    return true;
  };
}

export function ProductFields() {
  const t = useWords("products");
  const categories = useCategories().data ?? [];
  return (
    <>
      <Form.Item name="name" label={t("field.name")} rules={[{ required: true, whitespace: true, message: t("needed") }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="category_id" label={t("field.category")} extra={t("field.category_hint")}>
        <TreeSelect allowClear treeData={treeOf(categories)} treeDefaultExpandAll showSearch={{ treeNodeFilterProp: "title" }} placeholder={t("no_category")} />
      </Form.Item>
      <Form.Item name="description" label={t("field.description")} extra={t("field.description_hint")}>
        <Input.TextArea maxLength={10_000} rows={5} />
      </Form.Item>
      <Flex gap="0 16px" wrap>
        <Form.Item name="reference" label={t("field.reference")} extra={t("field.reference_hint")} style={{ flex: "1 1 200px" }}>
          <Input maxLength={64} />
        </Form.Item>
      </Flex>
      <Form.Item name="category" label={t("field.kind")} extra={t("field.kind_hint")}>
        <Radio.Group options={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))} />
      </Form.Item>
    </>
  );
}

export function NewProductDrawer({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const t = useWords("products");
  const create = useCreateProduct();
  return (
    <FormDrawer<ProductForm & { state: NewProduct["state"] }>
      open title={t("create")} ok={t("create")} noun="products" size={560} onClose={onClose} initial={{ category: "general", state: "published" }} onProblem={atField(t)}
      onSubmit={async ({ state, ...values }) => onMade((await create.mutateAsync({ ...bodyOf(values), state })).id)}
    >
      <ProductFields />
      <Form.Item name="state" label={t("field.state")} extra={t("field.state_hint")}>
        <Radio.Group options={(["published", "draft"] as const).map((value) => ({ value, label: t(`state.product.${value}`) }))} />
      </Form.Item>
    </FormDrawer>
  );
}
