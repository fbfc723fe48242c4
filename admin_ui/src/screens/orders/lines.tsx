import { EyeOutlined } from "@ant-design/icons";
import { Button, Card, Modal, Table, Tag } from "antd";
import { useState } from "react";
import { useCodes, type Order, type Standing, type StandingLine, type StandingUnit } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { CopyButton } from "../../ui/copy_id";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { State } from "../../ui/state";
import { WorkDrawer } from "../fulfilments/work";
import { tone } from "./tones";

/** Each line: what it is, what its units cost, and where each of them stands. */
export function Lines({ order, standing }: { order: Order; standing: Standing }) {
  const t = useWords("orders");
  const may = useMay();
  const [working, setWorking] = useState<string | null>(null);
  const delivered = standing.lines.flatMap((line) => line.units).filter((unit) => unit.state === "delivered").length;
  return (
    <Card size="small" title={t("section.lines")} extra={delivered > 0 && may("codes:reveal") && <Reveal id={order.id} units={delivered} />}>
      <div className="stack">
        {standing.lines.map((line) => (
          <Line key={line.sale_id} line={line} order={order} onWork={setWorking} />
        ))}
      </div>
      {working !== null && <WorkDrawer id={working} onClose={() => setWorking(null)} />}
    </Card>
  );
}

function Line({ line, order, onWork }: { line: StandingLine; order: Order; onWork: (id: string) => void }) {
  const t = useWords("orders");
  const may = useMay();
  const [open, setOpen] = useState(line.units.length <= 5);
  const sold = order.lines.find((each) => each.sale_id === line.sale_id);
  const task = line.task;
  return (
    <section className="order-line" aria-label={line.sku_name}>
      <div className="row" style={{ justifyContent: "space-between" }}>
        <span className="row">
          <strong>{sold?.name ?? line.sku_name}</strong>
          <span className="muted">
            {sold !== undefined && sold.name !== line.sku_name && `${line.sku_name} · `}
            {t("line.units", { n: line.quantity })}
          </span>
          {sold?.bundle_id && <Tag>{t("line.bundle")}</Tag>}
          {task && <State kind="task" noun="orders" value={task.state} tone={task.state === "pending" ? "warn" : task.state === "done" ? "good" : "plain"} />}
        </span>
        {sold && <Money minor={sold.amount_minor} currency={order.currency} />}
      </div>
      {task?.state === "pending" && (
        <div className="row">
          <span className="muted">
            <Due at={task.due_at} />
            {task.problem && ` · ${t("line.problem", { problem: task.problem })}`}
          </span>
          {may("orders:write") && (
            <Button size="small" type="primary" ghost onClick={() => onWork(task.fulfilment_id)}>
              {t("line.handle")}
            </Button>
          )}
        </div>
      )}
      {open ? <Units units={line.units} currency={order.currency} /> : <Button size="small" type="link" style={{ alignSelf: "flex-start", padding: 0 }} onClick={() => setOpen(true)}>{t("line.show")}</Button>}
    </section>
  );
}

function Due({ at }: { at: string }) {
  const t = useWords("orders");
  const [before, after] = t("line.due").split("{when}");
  return (
    <>
      {before}
      <Moment at={at} />
      {after}
    </>
  );
}

function Units({ units, currency }: { units: StandingUnit[]; currency: string }) {
  const t = useWords("orders");
  return (
    <Table<StandingUnit>
      size="small" rowKey="unit" dataSource={units} scroll={{ x: "max-content" }} pagination={units.length > 20 ? { pageSize: 20, size: "small" } : false}
      columns={[
        { key: "unit", title: t("line.unit"), render: (_, unit) => <span className="number">#{unit.unit}</span> },
        { key: "state", title: t("column.state"), render: (_, unit) => <State kind="unit" noun="orders" value={unit.state} tone={tone("unit", unit.state)} /> },
        { key: "paid", title: t("line.paid"), align: "right", render: (_, unit) => <Money minor={unit.paid_minor} currency={currency} /> },
        {
          key: "delivered", title: t("line.delivered"),
          render: (_, unit) => (
            <span className="row">
              <Moment at={unit.delivered_at} none="–" />
              {unit.delivered_at && <span className="muted">{t(unit.revealed_at ? "line.revealed" : "line.not_revealed")}</span>}
              {unit.replaced_by !== null && <span className="muted">{t("line.replaced_by", { unit: String(unit.replaced_by) })}</span>}
            </span>
          ),
        },
      ]}
    />
  );
}

/** What was delivered, in clear: asked for in so many words, and on record. */
function Reveal({ id, units }: { id: string; units: number }) {
  const t = useWords("orders");
  const confirm = useConfirm("orders");
  const codes = useCodes();
  const ask = () => confirm({ title: t("codes.title"), text: t("codes.text", { n: units }), ok: t("codes.ok"), act: () => codes.mutateAsync(id) });
  return (
    <>
      <Button size="small" icon={<EyeOutlined />} onClick={ask}>
        {t("codes.show")}
      </Button>
      <Modal open={codes.data !== undefined} title={t("codes.shown")} footer={null} onCancel={() => codes.reset()} width={640}>
        <div className="stack">
          {codes.data?.map((each) => (
            <dl key={each.unit} className="list-card-rest">
              <dt>{t("line.unit")}</dt>
              <dd className="number">#{each.unit}</dd>
              {([["code", each.code], ["secret", each.secret], ["note", each.note]] as const).map(
                ([name, value]) =>
                  value && (
                    <div key={name} style={{ display: "contents" }}>
                      <dt>{t(`codes.${name}`)}</dt>
                      <dd className="secret-text">
                        {value} <CopyButton text={value} label={t(`codes.${name}`)} />
                      </dd>
                    </div>
                  ),
              )}
            </dl>
          ))}
        </div>
      </Modal>
    </>
  );
}
