import { Tag } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { fulfilmentPages, type Waiting } from "../../api/fulfilments";
import { useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { Actor } from "../../ui/actor";
import { shortId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Page } from "../../ui/page";
import { ageOf, claimOf, sentBack } from "./age";
import { WorkDrawer } from "./work";

const LOOK_MS = 10_000; // colleagues work on the same queue

/** Paid lines that wait for a person, what is due first on top. */
export default function Queue() {
  const t = useWords("fulfilments");
  const [parameters, setParameters] = useSearchParams();
  const [seen, setSeen] = useState<Waiting | undefined>();
  const open = parameters.get("open");
  const show = (row: Waiting | null) => {
    setSeen(row ?? undefined);
    setParameters((was) => {
      const next = new URLSearchParams(was);
      if (row === null) next.delete("open");
      else next.set("open", row.id);
      return next;
    });
  };
  return (
    <Page title={t("title")} about={t("about")}>
      <ListTable<Waiting>
        id="fulfilments" columns={useColumns()} pages={fulfilmentPages()} rowKey={(row) => row.id} onOpen={show} refresh={LOOK_MS}
        empty={<Empty picture="☕" title={t("empty.title")} text={t("empty.text")} />}
      />
      {open !== null && <WorkDrawer id={open} {...(seen?.id === open ? { row: seen } : {})} onClose={() => show(null)} />}
    </Page>
  );
}

function useColumns(): Column<Waiting>[] {
  const t = useWords("fulfilments");
  return [
    { key: "goods", title: t("column.goods"), render: (row) => <span>{row.sku_name} × {row.quantity}</span> },
    { key: "due", title: t("column.due"), phone: "head", render: (row) => <Due row={row} /> },
    { key: "standing", title: t("column.standing"), render: (row) => <Standing row={row} /> },
    { key: "waiting", title: t("column.waiting"), render: (row) => <Moment at={row.created_at} /> },
    { key: "problem", title: t("column.problem"), render: (row) => sentBack(row.problem) ?? row.problem ?? <span className="muted">–</span> },
    { key: "order", title: t("column.order"), render: (row) => <Link className="copy-id" to={`/orders/${row.order_id}`}>{shortId(row.order_id)}</Link> },
    { key: "type", title: t("column.type"), optional: true, phone: "none", render: (row) => t(`type.${row.type}`) },
  ];
}

function Due({ row }: { row: Waiting }) {
  const age = ageOf(row.due_at, Date.now());
  return (
    <Tag color={age === "late" ? "error" : age === "soon" ? "warning" : "default"}>
      <Moment at={row.due_at} />
    </Tag>
  );
}

/** Who is at it, or whether the shopper is asked: told as it is. */
function Standing({ row }: { row: Waiting }) {
  const t = useWords("fulfilments");
  const { who } = useSession();
  if (sentBack(row.problem) !== null) return <Tag>{t("standing.sent_back")}</Tag>;
  const claim = claimOf(row, Date.now());
  if (claim === null) return <span className="muted">{t("standing.free")}</span>;
  if (claim.by === who.id) return <Tag color="processing">{t("standing.mine", { n: claim.minutes })}</Tag>;
  return (
    <span className="row" style={{ gap: 4 }}>
      <Tag color="processing">{t("standing.claimed", { n: claim.minutes })}</Tag>
      <Actor id={claim.by} />
    </span>
  );
}
