import { Button, Card, Form, Skeleton } from "antd";
import { useEffect, useState } from "react";
import { useParams } from "react-router";
import { useChangeProduct, useProduct, type Product, type ProductChange } from "@/api/products";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Moment, Page, ProblemNote, SaveBar, useConfirm, useSay } from "@/ui";
import { ProductSkus } from "@/screens/skus/of_product";
import { bodyOf, ProductFields, type ProductForm } from "./form";
import { ProductState } from "./list";
import { OptionsCard } from "./options";
import { Pictures } from "./pictures";
import { Reviews } from "./reviews";
import { Schedule } from "./schedule";
import { TranslationsCard } from "./translations";

export default function ProductPage() {
  const t = useWords("products");
  const { id = "" } = useParams();
  const { data, error } = useProduct(id);
  if (error) return <Page title={t("one")} back="/products"><ProblemNote error={error} noun="products" /></Page>;
  if (!data) return <Page title={t("one")} back="/products"><Skeleton active /></Page>;
  return <Loaded product={data.value} etag={data.etag} />;
}

function Loaded({ product, etag }: { product: Product; etag: string }) {
  const t = useWords("products");
  const may = useMay();
  const canEdit = may("catalog:write");
  return (
    <Page
      title={product.name} back="/products"
      extra={<><ProductState product={product} /><CopyId id={product.id} /></>}
      actions={canEdit && <StateActs product={product} etag={etag} />}
    >
      <div className="stack">
        <ProductSkus product={product} />
        <div className="sections">
          <div className="stack">
            <Basics key={product.id} product={product} etag={etag} readOnly={!canEdit} />
            <Pictures product={product} readOnly={!canEdit} />
            <TranslationsCard product={product} readOnly={!canEdit} />
          </div>
          <div className="stack">
            <Schedule product={product} etag={etag} readOnly={!canEdit} />
            <OptionsCard product={product} etag={etag} readOnly={!canEdit} />
            <Reviews product={product} />
            <Card size="small" title={t("about_it")}>
              <p style={{ margin: 0 }}>{t("made_at")} <Moment at={product.created_at} /></p>
            </Card>
          </div>
        </div>
      </div>
    </Page>
  );
}

/** Publish, take down, put away: what shoppers see changes at once. */
function StateActs({ product, etag }: { product: Product; etag: string }) {
  const t = useWords("products");
  const say = useSay("products");
  const confirm = useConfirm("products");
  const change = useChangeProduct(product.id);
  const set = (state: NonNullable<ProductChange["state"]>) => change.mutateAsync({ etag, body: { state } }).then(() => say.done(t(`done.${state}`)));
  const ask = (state: "draft" | "archived") => confirm({ title: t(`act.${state}`), text: t(`act.${state}_text`), ok: t(`act.${state}`), danger: state === "archived", act: () => set(state) });
  return (
    <>
      {product.state !== "archived" && <Button onClick={() => ask("archived")}>{t("act.archived")}</Button>}
      {product.state === "published" && <Button onClick={() => ask("draft")}>{t("act.draft")}</Button>}
      {product.state !== "published" && <Button type="primary" loading={change.isPending} onClick={() => void set("published").catch(say.problem)}>{t("act.published")}</Button>}
    </>
  );
}

function formOf(product: Product): ProductForm {
  return {
    name: product.name, description: product.description, category: product.category as ProductForm["category"], category_id: product.category_id ?? null,
    reference: product.reference ?? "",
  };
}

/** Name, description and place. What somebody else saved meanwhile is told, and what was typed stays. */
function Basics({ product, etag, readOnly }: { product: Product; etag: string; readOnly: boolean }) {
  const t = useWords("products");
  const say = useSay("products");
  const [form] = Form.useForm<ProductForm>();
  const [read, setRead] = useState({ product, etag });
  const [isDirty, setIsDirty] = useState(false);
  const change = useChangeProduct(product.id);
  useEffect(() => {
    // A form that nobody has touched shows what is there now.
    if (isDirty) return;
    setRead({ product, etag });
    form.setFieldsValue(formOf(product));
  }, [product, etag, isDirty, form]);
  const reset = (to: { product: Product; etag: string }) => {
    setRead(to);
    form.setFieldsValue(formOf(to.product));
    setIsDirty(false);
    change.reset();
  };
  const save = async () => {
    const values = await form.validateFields();
    await change.mutateAsync({ etag: read.etag, body: bodyOf(values) });
    setIsDirty(false);
    say.done(t("saved"));
  };
  return (
    <Card size="small" title={t("basics")}>
      <Form<ProductForm> form={form} layout="vertical" initialValues={formOf(product)} disabled={readOnly} onValuesChange={() => setIsDirty(true)}>
        <ProductFields />
      </Form>
      <SaveBar
        dirty={isDirty} saving={change.isPending} error={change.error} onSave={() => void save().catch(() => undefined)}
        onDiscard={() => reset({ product, etag })} onReload={() => reset({ product, etag })}
      />
    </Card>
  );
}
