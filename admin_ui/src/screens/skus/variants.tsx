import { Checkbox, Form } from "antd";
import { useMemo, useState } from "react";
import type { Product } from "@/api/products";
import { useCreateSku, type Sku } from "@/api/skus";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { FormDrawer } from "@/ui";
import { parseAmount } from "./amount";
import { begun, fieldsOf, told, type Schema } from "./schema";
import { MoneyItem, TypeChoice, useFields, useTypeOf } from "./form";
import { SchemaForm } from "./schema_form";
import { missing } from "./combine";

interface VariantsForm {
  price: string;
  config?: Record<string, unknown>;
}

/** A SKU for each combination of the product's options that has none; their prices are then edited in the grid. */
export function Variants({ product, there, onClose }: { product: Product; there: Sku[]; onClose: () => void }) {
  const t = useWords("skus");
  const { store } = useSession();
  const create = useCreateSku();
  const [typeName, setTypeName] = useState(there[0]?.type ?? "code");
  const fields = useFields(useTypeOf(typeName));
  const all = useMemo(() => missing(product.options, there.map((sku) => sku.choices)), [product.options, there]);
  const [chosen, setChosen] = useState<number[]>(() => all.map((_, at) => at));
  return (
    <FormDrawer<VariantsForm>
      open title={t("variants.title")} ok={t("variants.make", { n: chosen.length })} noun="skus" size={560} onClose={onClose}
      onSubmit={async ({ price, config }) => {
        const amount = parseAmount(price, store.currency);
        for (const at of [...chosen].sort((one, other) => one - other)) {
          const choices = all[at]!;
          await create.mutateAsync({
            product_id: product.id, type: typeName, config: told(fields, config ?? {}), name: Object.values(choices).join(" / "), choices,
            price_minor: "minor" in amount ? amount.minor : 0,
          });
        }
      }}
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
          <MoneyItem name="price" label={t("variants.price")} needed hint={t("variants.price_hint")} />
          <Form.Item label={t("variants.which")}>
            {all.length === 0 ? (
              <span className="muted">{t("variants.all_there")}</span>
            ) : (
              <Checkbox.Group
                value={chosen} onChange={(values) => setChosen(values)} style={{ display: "grid", gap: 4, maxHeight: 320, overflowY: "auto" }}
                options={all.map((choices, value) => ({ value, label: Object.values(choices).join(" / ") }))}
              />
            )}
          </Form.Item>
        </>
      )}
    </FormDrawer>
  );
}
