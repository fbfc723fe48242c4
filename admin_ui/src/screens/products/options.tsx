import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useChangeProduct, type Product } from "@/api/products";
import { useWords } from "@/shell/words";
import { ProblemNote, useSay } from "@/ui";

const AXES_MAX = 3;
const VALUES_MAX = 100;

interface Options {
  options: { name: string; values: string[] }[];
}

/** The axes along which the product's SKUs differ. A value that a SKU has stays. */
export function OptionsCard({ product, etag, readOnly }: { product: Product; etag: string; readOnly: boolean }) {
  const t = useWords("products");
  const say = useSay("products");
  const change = useChangeProduct(product.id);
  const [editing, setEditing] = useState(false);
  const save = async ({ options }: Options) => {
    await change.mutateAsync({ etag, body: { options: (options ?? []).map((each) => ({ name: each.name.trim(), values: each.values })) } });
    setEditing(false);
    say.done(t("saved"));
  };
  return (
    <Card size="small" title={t("options.title")} extra={!readOnly && !editing && <Button size="small" onClick={() => setEditing(true)}>{t("edit")}</Button>}>
      {editing ? (
        <Form<Options> layout="vertical" initialValues={{ options: product.options }} onFinish={(values) => void save(values).catch(() => undefined)}>
          <Form.List name="options">
            {(rows, { add, remove }) => (
              <Flex vertical gap={12}>
                {rows.map((row) => (
                  <Flex key={row.key} vertical gap={4}>
                    <Flex gap={8}>
                      <Form.Item name={[row.name, "name"]} noStyle rules={[{ required: true, whitespace: true, message: t("needed") }]}>
                        <Input maxLength={64} placeholder={t("options.name")} aria-label={t("options.name")} />
                      </Form.Item>
                      <Button icon={<DeleteOutlined />} aria-label={t("options.remove")} onClick={() => remove(row.name)} />
                    </Flex>
                    <Form.Item name={[row.name, "values"]} rules={[{ required: true, message: t("needed") }]} style={{ marginBottom: 0 }}>
                      <Select mode="tags" open={false} maxCount={VALUES_MAX} tokenSeparators={[",", "，", ";", "；", "\n"]} placeholder={t("options.values")} aria-label={t("options.values")} />
                    </Form.Item>
                  </Flex>
                ))}
                {rows.length < AXES_MAX && <Button type="dashed" icon={<PlusOutlined />} onClick={() => add({ name: "", values: [] })}>{t("options.add")}</Button>}
              </Flex>
            )}
          </Form.List>
          {change.error && <ProblemNote error={change.error} noun="products" style={{ marginTop: 12 }} />}
          <div className="row" style={{ marginTop: 12 }}>
            <Button type="primary" htmlType="submit" loading={change.isPending}>{t("save")}</Button>
            <Button onClick={() => (change.reset(), setEditing(false))}>{t("cancel")}</Button>
          </div>
        </Form>
      ) : product.options.length ? (
        <div className="stack" style={{ gap: 8 }}>
          {product.options.map((option) => (
            <div key={option.name}>
              <div className="muted">{option.name}</div>
              <Flex gap={4} wrap>{option.values.map((value) => <Tag key={value}>{value}</Tag>)}</Flex>
            </div>
          ))}
        </div>
      ) : (
        <span className="muted">{t("options.none")}</span>
      )}
    </Card>
  );
}
