import { ImportOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, InputNumber, Select } from "antd";
import { Link } from "react-router";
import type { TypeView } from "@/api/products";
import { useIssueTerms, useMakeUnits, useSetIssueTerms } from "@/api/skus";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { ProblemNote, useSay } from "@/ui";
import { StockLine } from "@/screens/vault/stock";
import { parseAmount } from "./amount";
import { MakePicks } from "./make_picks";
import { MoneyItem } from "./form";

/** How much there is, how more comes, and in which order it is given. */
export function StockPanel({ id, type }: { id: string; type: TypeView }) {
  const t = useWords("skus");
  const may = useMay();
  return (
    <div className="stack">
      <StockLine id={id} />
      {may("vault:write") && (
        <Flex gap={8} wrap>
          {type.stock === "imported" && <Link to={`/vault/import?sku_id=${id}`}><Button type="primary" icon={<ImportOutlined />} tabIndex={-1}>{t("stock.import")}</Button></Link>}
          <Link to={`/vault/units?sku_id=${id}`}><Button tabIndex={-1}>{t("stock.units")}</Button></Link>
        </Flex>
      )}
      {may("vault:write") && type.stock === "made" && (type.picked ? <MakePicks id={id} type={type} /> : <MakeUnits id={id} />)}
      <IssueTerms id={id} />
    </div>
  );
}

function MakeUnits({ id }: { id: string }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const { store } = useSession();
  const make = useMakeUnits(id);
  const [form] = Form.useForm<{ quantity: number; cost?: string; note?: string }>();
  const send = async ({ quantity, cost, note }: { quantity: number; cost?: string; note?: string }) => {
    const amount = cost?.trim() ? parseAmount(cost, store.currency) : null;
    await make.mutateAsync({ quantity, note: note ?? "", ...(amount && "minor" in amount ? { cost_minor: amount.minor } : {}) });
    say.done(t("make.done", { n: quantity }));
    form.resetFields();
  };
  return (
    <Card size="small" title={t("make.title")}>
      <Form form={form} layout="vertical" onFinish={(values) => void send(values).catch(() => undefined)}>
        <Flex gap="0 16px" wrap>
          <Form.Item name="quantity" label={t("make.quantity")} rules={[{ required: true, message: t("field.needed") }]} style={{ flex: "1 1 140px" }}>
            <InputNumber min={1} max={100_000} precision={0} style={{ width: "100%" }} />
          </Form.Item>
          <MoneyItem name="cost" label={t("make.cost")} />
          <Form.Item name="note" label={t("make.note")} style={{ flex: "1 1 200px" }}>
            <Input maxLength={200} />
          </Form.Item>
        </Flex>
        {make.error && <ProblemNote error={make.error} noun="skus" style={{ marginBottom: 12 }} />}
        <Button type="primary" htmlType="submit" loading={make.isPending}>{t("make.title")}</Button>
      </Form>
    </Card>
  );
}

function IssueTerms({ id }: { id: string }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const { data } = useIssueTerms(id);
  const set = useSetIssueTerms(id);
  if (!data) return null;
  return (
    <Card size="small" title={t("issue.title")}>
      <Form
        layout="vertical" initialValues={data} disabled={!may("vault:write")}
        onFinish={(values) => set.mutate(values, { onSuccess: () => say.done(t("saved")) })}
      >
        <Form.Item name="issue_order" label={t("issue.order")} extra={t("issue.order_hint")}>
          <Select options={(["fifo", "priority", "expiring"] as const).map((value) => ({ value, label: t(`issue.${value}`) }))} />
        </Form.Item>
        <Form.Item name="sell_until_days" label={t("issue.days")} extra={t("issue.days_hint")}>
          <InputNumber min={0} max={3650} precision={0} style={{ width: 140 }} />
        </Form.Item>
        {set.error && <ProblemNote error={set.error} noun="skus" style={{ marginBottom: 12 }} />}
        {may("vault:write") && <Button htmlType="submit" loading={set.isPending}>{t("save")}</Button>}
      </Form>
    </Card>
  );
}
