import { Card, Descriptions, Table } from "antd";
import type { Order, Standing } from "../../api/orders";
import { useWords } from "../../shell/words";
import { CopyId } from "../../ui/copy_id";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { State } from "../../ui/state";
import { moneyOf } from "./refunding";
import { tone } from "./tones";

/** What came, what went back and what stays, and each payment and refund by itself. */
export function MoneySection({ order, standing }: { order: Order; standing: Standing }) {
  const t = useWords("orders");
  const sum = moneyOf(standing);
  const show = (key: string, minor: number) => ({ key, label: t(`money.${key}`), children: <Money minor={minor} currency={order.currency} /> });
  return (
    <Card size="small" title={t("section.money")}>
      <div className="stack">
        <Descriptions
          size="small" colon={false} column={{ xs: 1, sm: 2, md: 3 }}
          items={[
            show("total", order.amount_minor),
            show("paid", sum.paid),
            ...(sum.onItsWay > 0 ? [show("on_its_way", sum.onItsWay)] : []),
            ...(sum.returned > 0 ? [show("returned", sum.returned)] : []),
            ...(sum.refused > 0 ? [show("refused", sum.refused)] : []),
            show("kept", sum.paid - sum.returned - sum.onItsWay),
          ]}
        />
        {standing.payments.length === 0 && <span className="muted">{t("money.none")}</span>}
        {standing.payments.length > 0 && (
          <Table
            size="small" rowKey="id" pagination={false} dataSource={standing.payments} scroll={{ x: "max-content" }} title={() => t("money.payments")}
            columns={[
              { key: "at", title: t("column.paid"), render: (_, row) => <Moment at={row.paid_at} /> },
              { key: "state", title: t("column.state"), render: (_, row) => <State kind="payment" noun="orders" value={row.disposition} tone={tone("payment", row.disposition)} /> },
              { key: "amount", title: t("column.amount"), align: "right", render: (_, row) => <Money minor={row.amount_minor} currency={row.currency} /> },
              { key: "txn", title: t("money.txn"), render: (_, row) => <CopyId id={row.txn_id} /> },
            ]}
          />
        )}
        {standing.refunds.length > 0 && (
          <Table
            size="small" rowKey="id" pagination={false} dataSource={standing.refunds} scroll={{ x: "max-content" }} title={() => t("money.refunds")}
            columns={[
              { key: "at", title: t("timeline.refund_begun"), render: (_, row) => <Moment at={row.created_at} /> },
              { key: "state", title: t("column.state"), render: (_, row) => <State kind="refund" noun="orders" value={row.state} tone={tone("refund", row.state)} /> },
              { key: "amount", title: t("column.amount"), align: "right", render: (_, row) => <Money minor={row.amount_minor} currency={row.currency} /> },
              { key: "reason", title: t("cancel.reason"), render: (_, row) => `${t(`reason.${row.reason}`)}${row.units.length > 0 ? ` · ${t("money.units", { n: row.units.length })}` : ""}` },
              { key: "no", title: t("money.refund_no"), render: (_, row) => <CopyId id={row.out_refund_no} /> },
            ]}
          />
        )}
      </div>
    </Card>
  );
}
