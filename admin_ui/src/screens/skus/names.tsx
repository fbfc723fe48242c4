import { Button, Flex, Form, Input } from "antd";
import { usePutTranslation, useRemoveTranslation, useTranslations } from "@/api/products";
import { useMay, useSession } from "@/shell/session";
import { LANGUAGES, useWords } from "@/shell/words";
import { ProblemNote, useSay } from "@/ui";

/** A SKU's name in the store's other languages; emptied, the one it was made with is shown. */
export function NamesPanel({ id, name }: { id: string; name: string }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const { store } = useSession();
  const found = useTranslations(id);
  const put = usePutTranslation(id);
  const remove = useRemoveTranslation(id);
  const others = store.locales.filter((locale) => locale !== store.locale);
  if (others.length === 0) return <p className="muted">{t("names.none")}</p>;
  if (!found.data) return null;
  const said = Object.fromEntries(found.data.map((each) => [each.locale, each.name]));
  const save = async (values: Record<string, string | undefined>) => {
    for (const locale of others) {
      const text = values[locale]?.trim() ?? "";
      if (text === (said[locale] ?? "")) continue;
      await (text ? put.mutateAsync({ locale, name: text, description: null }) : remove.mutateAsync(locale));
    }
    say.done(t("saved"));
  };
  return (
    <Form layout="vertical" initialValues={said} disabled={!may("catalog:write")} onFinish={(values) => void save(values as Record<string, string>).catch(() => undefined)}>
      <Flex vertical>
        {others.map((locale) => (
          <Form.Item key={locale} name={locale} label={LANGUAGES[locale as keyof typeof LANGUAGES] ?? locale}>
            <Input maxLength={200} placeholder={name} lang={locale} />
          </Form.Item>
        ))}
      </Flex>
      {put.error && <ProblemNote error={put.error} noun="skus" style={{ marginBottom: 12 }} />}
      {may("catalog:write") && <Button type="primary" htmlType="submit" loading={put.isPending || remove.isPending}>{t("save")}</Button>}
    </Form>
  );
}
