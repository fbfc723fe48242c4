import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, InputNumber, Select, Switch } from "antd";
import { useSession } from "@/shell/session";
import { LANGUAGES, useHasWord, useWords } from "@/shell/words";
import { SkuPicker } from "@/ui/sku";
import { begun, pattern, type Field } from "./schema";

type Path = (string | number)[];

/** The fields of a product type's settings. Their names are words of this catalogue, `config.<name>`; a test holds that each has some. */
export function SchemaForm({ fields, at }: { fields: Field[]; at: Path }) {
  return fields.map((field) => <SchemaField key={field.name} field={field} name={[...at, field.name]} full={[...at, field.name]} />);
}

/** `name` is relative to the list it stands in, as the form library wants it; `full` is the whole way. */
function SchemaField({ field, name, full }: { field: Field; name: Path; full: Path }) {
  const t = useWords("skus");
  const has = useHasWord("skus");
  const key = `config.${field.name}`;
  const label = t(key);
  const hint = has(`${key}.hint`) ? t(`${key}.hint`) : undefined;
  const { schema, kind, required } = field;
  if (kind === "list") return <ListField field={field} name={name} full={full} label={label} hint={hint} />;
  if (kind === "names") return <NamesField name={name} label={label} required={required} longest={schema.maxLength ?? 60} />;
  const expected = pattern(schema);
  const rules = [
    ...(required ? [{ required: true, message: t("field.needed") }] : []),
    ...(expected && kind === "text" ? [{ pattern: expected, message: has(`${key}.pattern`) ? t(`${key}.pattern`) : t("field.pattern") }] : []),
    ...(schema.maxLength && kind === "text" ? [{ max: schema.maxLength, message: t("field.long", { n: schema.maxLength }) }] : []),
  ];
  const shared = { name, label, rules, ...(hint ? { extra: hint } : {}) };
  switch (kind) {
    case "switch":
      return (
        <Form.Item {...shared} valuePropName="checked">
          <Switch />
        </Form.Item>
      );
    case "count":
      return (
        <Form.Item {...shared}>
          <InputNumber {...(schema.minimum === undefined ? {} : { min: schema.minimum })} {...(schema.maximum === undefined ? {} : { max: schema.maximum })} precision={0} style={{ width: 160 }} placeholder={field.nullable ? t("field.none") : ""} />
        </Form.Item>
      );
    case "choice":
      return (
        <Form.Item {...shared}>
          <Select options={(schema.enum ?? []).map((value) => ({ value, label: t(`${key}.${value}`) }))} style={{ maxWidth: 280 }} />
        </Form.Item>
      );
    case "words":
      return (
        <Form.Item {...shared}>
          <Select mode="tags" open={false} tokenSeparators={[",", "，", ";", "；"]} maxCount={schema.maxItems ?? 100} />
        </Form.Item>
      );
    case "sku":
      return (
        <Form.Item {...shared}>
          <SkuPicker />
        </Form.Item>
      );
    default:
      return (
        <Form.Item {...shared}>
          <Input maxLength={schema.maxLength ?? undefined} />
        </Form.Item>
      );
  }
}

/** A text in each language of the store. */
function NamesField({ name, label, required, longest }: { name: Path; label: string; required: boolean; longest: number }) {
  const t = useWords("skus");
  const { store } = useSession();
  const locales = store.locales.length ? store.locales : [store.locale];
  return (
    <Form.Item label={label} required={required}>
      <Flex gap={8} wrap>
        {locales.map((locale) => (
          <Form.Item key={locale} name={[...name, locale]} noStyle rules={locale === store.locale && required ? [{ required: true, message: t("field.needed") }] : []}>
            <Input maxLength={longest} prefix={<span className="muted">{LANGUAGES[locale as keyof typeof LANGUAGES] ?? locale}</span>} aria-label={`${label} (${locale})`} style={{ flex: 1, minWidth: 180 }} />
          </Form.Item>
        ))}
      </Flex>
    </Form.Item>
  );
}

function ListField({ field, name, full, label, hint }: { field: Field; name: Path; full: Path; label: string; hint: string | undefined }) {
  const t = useWords("skus");
  const most = field.schema.maxItems ?? 100;
  return (
    <Form.Item label={label} required={field.required} {...(hint ? { extra: hint } : {})}>
      <Form.List name={name}>
        {(rows, { add, remove }) => (
          <Flex vertical gap={8}>
            {rows.map((row, at) => (
              <Card
                key={row.key} size="small" title={`${label} ${at + 1}`}
                extra={<Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t("field.remove", { what: `${label} ${at + 1}` })} onClick={() => remove(row.name)} />}
              >
                {field.items.map((item) => (
                  <SchemaField key={item.name} field={item} name={[row.name, item.name]} full={[...full, row.name, item.name]} />
                ))}
              </Card>
            ))}
            {rows.length < most && (
              <Button type="dashed" icon={<PlusOutlined />} onClick={() => add(begun(field.items))}>
                {t("field.add", { what: label })}
              </Button>
            )}
          </Flex>
        )}
      </Form.List>
    </Form.Item>
  );
}
