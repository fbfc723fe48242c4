import { Button, Card, Flex, Form, Input, Tag } from "antd";
import { useState } from "react";
import { usePutTranslation, useRemoveTranslation, useTranslations, type Product } from "@/api/products";
import { useSession } from "@/shell/session";
import { LANGUAGES, useWords } from "@/shell/words";
import { FormDrawer, useSay } from "@/ui";

interface Texts {
  name: string;
  description?: string;
}

/** Name and description in the store's other languages. What is not said is shown as it was written. */
export function TranslationsCard({ product, readOnly }: { product: Product; readOnly: boolean }) {
  const t = useWords("products");
  const say = useSay("products");
  const { store } = useSession();
  const [editing, setEditing] = useState<string | null>(null);
  const found = useTranslations(product.id).data ?? [];
  const put = usePutTranslation(product.id);
  const remove = useRemoveTranslation(product.id);
  const others = store.locales.filter((locale) => locale !== store.locale);
  const name = (locale: string) => LANGUAGES[locale as keyof typeof LANGUAGES] ?? locale;
  const of = (locale: string | null) => found.find((each) => each.locale === locale);
  return (
    <Card size="small" title={t("translations.title")}>
      {others.length === 0 && <span className="muted">{t("translations.none")}</span>}
      <Flex vertical gap={8}>
        {others.map((locale) => (
          <Flex key={locale} gap={8} align="center" wrap>
            <Tag>{name(locale)}</Tag>
            <span style={{ flex: 1, minWidth: 120, overflowWrap: "anywhere" }}>{of(locale)?.name ?? <span className="muted">{t("translations.missing")}</span>}</span>
            {!readOnly && <Button size="small" onClick={() => setEditing(locale)}>{t("edit")}</Button>}
            {!readOnly && of(locale) && <Button size="small" onClick={() => remove.mutate(locale, { onError: say.problem })}>{t("remove")}</Button>}
          </Flex>
        ))}
      </Flex>
      {editing && (
        <FormDrawer<Texts>
          open title={t("translations.edit", { language: name(editing) })} ok={t("save")} noun="products" onClose={() => setEditing(null)}
          initial={{ name: of(editing)?.name ?? "", description: of(editing)?.description ?? "" }}
          onSubmit={(values) => put.mutateAsync({ locale: editing, name: values.name.trim(), description: values.description?.trim() || null })}
        >
          <Form.Item name="name" label={t("field.name")} extra={product.name} rules={[{ required: true, whitespace: true, message: t("needed") }]}>
            <Input maxLength={200} lang={editing} />
          </Form.Item>
          <Form.Item name="description" label={t("field.description")} extra={t("translations.description_hint")}>
            <Input.TextArea maxLength={10_000} rows={6} lang={editing} />
          </Form.Item>
        </FormDrawer>
      )}
    </Card>
  );
}
