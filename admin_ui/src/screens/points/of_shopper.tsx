import { Button, Card, Descriptions, Form, Input, InputNumber, Progress, Skeleton, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { entryPages, useAdjustPoints, usePoints, type Entry } from "@/api/points";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, FormDrawer, ListTable, Moment, ProblemNote, useSay, type Column } from "@/ui";
import { shortId } from "@/ui/copy_id";

/** A customer's points and level, and the pen of those who may give and take. */
export function PointsOfShopper({ shopperId }: { shopperId: string }) {
  const t = useWords("points");
  const may = useMay();
  const say = useSay("points");
  const read = usePoints(shopperId);
  const adjust = useAdjustPoints(shopperId);
  const [open, setOpen] = useState(false);
  if (read.isError) return <Card size="small" title={t("title")}><ProblemNote error={read.error} noun="points" /></Card>;
  if (read.data === undefined) return <Card size="small" title={t("title")}><Skeleton active /></Card>;
  const { account, levels } = read.data;
  const at = account.standing;
  const send = ({ amount, reason }: { amount: number; reason: string }) =>
    adjust.mutateAsync({ amount, reason: reason.trim() }).then(() => say.done(t("adjust.done")));
  return (
    <Card size="small" title={t("title")} extra={may("points:write") && <Button size="small" onClick={() => setOpen(true)}>{t("adjust")}</Button>}>
      <Descriptions
        column={1} size="small" colon={false} styles={{ label: { width: 110 } }}
        items={[
          { key: "available", label: t("available"), children: account.available },
          ...(account.held > 0 ? [{ key: "held", label: t("held"), children: account.held }] : []),
          ...(account.owed > 0 ? [{ key: "owed", label: t("owed"), children: <Tag color="warning">{account.owed}</Tag> }] : []),
          ...(account.expires_at !== null ? [{ key: "expiring", label: t("expiring"), children: <>{account.expiring} · <Moment at={account.expires_at} /></> }] : []),
          { key: "level", label: t("level"), children: at.level === null ? <span className="muted">{t("no_level")}</span> : <Tag>{at.level.name}</Tag> },
          ...(at.until !== null ? [{ key: "until", label: t(at.in_grace ? "grace_until" : "until"), children: <Moment at={at.until} /> }] : []),
          { key: "growth", label: t("growth"), children: at.growth },
        ]}
      />
      {at.next !== null && (
        <>
          <Progress percent={Math.min(100, Math.floor((at.growth * 100) / at.next.growth))} size="small" showInfo={false} aria-label={t("growth")} />
          <span className="muted">{t("missing", { n: at.missing, name: at.next.name })}</span>
        </>
      )}
      {levels.length > 0 && (
        <p className="muted">{t("history")} {levels.slice(0, 3).map((each) => each.name ?? t("no_level")).join(" ← ")}</p>
      )}
      <div style={{ marginTop: 12 }}><Entries shopperId={shopperId} /></div>
      <FormDrawer<{ amount: number; reason: string }> open={open} onClose={() => setOpen(false)} onSubmit={send} title={t("adjust")} ok={t("adjust.ok")} noun="points">
        <Form.Item name="amount" label={t("adjust.amount")} extra={t("adjust.about", { n: account.available })} rules={[{ required: true, message: t("needed") }]}>
          <InputNumber precision={0} min={-account.available} max={1_000_000_000} style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="reason" label={t("adjust.reason")} extra={t("adjust.reason_about")} rules={[{ required: true, whitespace: true, message: t("needed") }]}>
          <Input maxLength={200} />
        </Form.Item>
      </FormDrawer>
    </Card>
  );
}

function Entries({ shopperId }: { shopperId: string }) {
  const t = useWords("points");
  const columns: Column<Entry>[] = [
    { key: "kind", title: t("column.kind"), render: (row) => (row.order_id === null ? t(`kind.${row.kind}`) : <Link to={`/orders/${row.order_id}`}>{t(`kind.${row.kind}`)} {shortId(row.order_id)}</Link>) },
    { key: "amount", title: t("column.amount"), align: "right", phone: "head", render: (row) => (row.amount > 0 ? `+${row.amount}` : row.amount) },
    { key: "balance", title: t("column.balance"), align: "right", render: (row) => row.balance },
    { key: "reason", title: t("column.reason"), optional: true, render: (row) => row.reason ?? "–" },
    { key: "at", title: t("column.at"), render: (row) => <Moment at={row.at} /> },
  ];
  return <ListTable<Entry> id="points.entries" columns={columns} pages={entryPages(shopperId)} rowKey={(row) => String(row.number)} limit={10} empty={<Empty title={t("empty")} />} />;
}
