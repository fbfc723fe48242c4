import { Card, Select } from "antd";
import { useLanguage, useWords } from "@/shell/words";
import { exactMoment } from "@/ui";
import { DraftPage, Field } from "./parts";

const CURRENCIES = ["CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "KRW", "SGD", "MYR", "THB", "VND", "AUD", "CAD", "CHF", "AED"];
const LOCALES = ["zh-CN", "zh-TW", "zh-HK", "en", "en-GB", "ja", "ko", "de", "fr", "es", "pt-BR", "ru", "vi", "th", "id", "ms", "ar"];

/** Names of what Intl knows, in the reader's language. */
function useNames(type: "language" | "currency"): (code: string) => string {
  const { language } = useLanguage();
  const names = new Intl.DisplayNames([language], { type });
  return (code) => `${names.of(code) ?? code} (${code})`;
}

export default function Regional() {
  const t = useWords("settings");
  const { language } = useLanguage();
  const languageName = useNames("language");
  const currencyName = useNames("currency");
  const zones = Intl.supportedValuesOf("timeZone");
  return (
    <DraftPage>
      {({ store, set, disabled }) => {
        const known = [...new Set([...LOCALES, ...store.locales])];
        return (
          <Card>
            <div className="stack" style={{ maxWidth: 560 }}>
              <Field id="currency" label={t("field.currency")} about={t("about.currency")}>
                <Select id="currency" value={store.currency} disabled={disabled} showSearch={{ optionFilterProp: "label" }} onChange={(value) => set("currency", value)} options={[...new Set([...CURRENCIES, store.currency])].map((value) => ({ value, label: currencyName(value) }))} />
              </Field>
              <Field id="zone" label={t("field.zone")} about={t("about.zone", { now: exactMoment(new Date().toISOString(), store.zone, language) })}>
                <Select id="zone" value={store.zone} disabled={disabled} showSearch onChange={(value) => set("zone", value)} options={[...new Set([...zones, store.zone])].map((value) => ({ value, label: value }))} />
              </Field>
              <Field id="locales" label={t("field.locales")} about={t("about.locales")}>
                <Select
                  id="locales" mode="multiple" value={store.locales} disabled={disabled} showSearch={{ optionFilterProp: "label" }} options={known.map((value) => ({ value, label: languageName(value) }))}
                  onChange={(value: string[]) => set("locales", value.includes(store.locale) ? value : [store.locale, ...value])}
                />
              </Field>
              <Field id="locale" label={t("field.locale")} about={t("about.locale")}>
                <Select id="locale" value={store.locale} disabled={disabled} onChange={(value) => set("locale", value)} options={store.locales.map((value) => ({ value, label: languageName(value) }))} />
              </Field>
            </div>
          </Card>
        );
      }}
    </DraftPage>
  );
}
