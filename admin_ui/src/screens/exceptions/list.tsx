import { Button, Segmented, Space, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { casePages, useRetryCase, type Case } from "../../api/exceptions";
import { useMay, useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { Actor } from "../../ui/actor";
import { useConfirm } from "../../ui/confirm";
import { CopyId, shortId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { FilterChoice, FilterRow } from "../../ui/filters";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { Page } from "../../ui/page";
import { useSay } from "../../ui/say";
import { useUrlFilters } from "../../ui/url_filters";
import { WorkDrawer } from "../fulfilments/work";
import { amountOf, fulfilmentOf, kindKey, KINDS, noteOf, orderOf } from "./cases";
import { ResolveDrawer } from "./resolve";

const LOOK_MS = 15_000;

/** What the rules could not settle, told in words, each with what can be done about it. */
export default function Queue() {
  const t = useWords("exceptions");
  const filters = useUrlFilters(["kind", "state"] as const);
  const [resolving, setResolving] = useState<Case | null>(null);
  const [working, setWorking] = useState<string | null>(null);
  const state = filters.values.state === "resolved" ? "resolved" : "open";
  const query = { state, ...(filters.values.kind ? { kind: filters.values.kind } : {}) } as const;
  const columns = useColumns(state, setResolving, setWorking);
  return (
    <Page title={t("title")} about={t("about")}>
      <ListTable<Case>
        id={`exceptions.${state}`} columns={columns} pages={casePages(query)} rowKey={(row) => row.id} refresh={LOOK_MS}
        filters={
          <FilterRow filters={filters}>
            <Segmented<string>
              aria-label={t("filter.state")} value={state} onChange={(value) => filters.set({ state: value === "open" ? "" : value })}
              options={["open", "resolved"].map((value) => ({ value, label: t(`state.${value}`) }))}
            />
            <FilterChoice filters={filters} name="kind" label={t("filter.kind")} options={KINDS.map((value) => ({ value, label: t(`kind.${value}.title`) }))} />
          </FilterRow>
        }
        filtered={filters.values.kind !== undefined || state === "resolved"} onClear={filters.clear}
        empty={<Empty picture="✓" title={t("empty.title")} text={t("empty.text")} />}
      />
      {resolving !== null && <ResolveDrawer one={resolving} onClose={() => setResolving(null)} />}
      {working !== null && <WorkDrawer id={working} onClose={() => setWorking(null)} />}
    </Page>
  );
}

function useColumns(state: "open" | "resolved", resolve: (one: Case) => void, work: (id: string) => void): Column<Case>[] {
  const t = useWords("exceptions");
  const columns: Column<Case>[] = [
    { key: "what", title: t("column.what"), render: (row) => <What one={row} /> },
    {
      key: "amount", title: t("column.amount"), align: "right",
      render: (row) => {
        const amount = amountOf(row);
        return amount ? <Money {...amount} /> : <span className="muted">–</span>;
      },
    },
    { key: "about", title: t("column.about"), render: (row) => <About one={row} /> },
    { key: "since", title: t("column.since"), render: (row) => <Moment at={row.created_at} /> },
  ];
  if (state === "open") columns.push({ key: "act", title: t("column.act"), always: true, render: (row) => <Commands one={row} resolve={resolve} work={work} /> });
  else columns.push({ key: "how", title: t("column.how"), always: true, render: (row) => <How one={row} /> });
  return columns;
}

function What({ one }: { one: Case }) {
  const t = useWords("exceptions");
  const key = kindKey(one.kind);
  const note = noteOf(one);
  return (
    <div style={{ maxWidth: 460, whiteSpace: "normal" }}>
      <strong>{t(`kind.${key}.title`, { kind: one.kind })}</strong>
      <div className="muted">{t(`kind.${key}.text`)}</div>
      {note !== undefined && <div className="muted">{t("note", { note })}</div>}
      {one.asked_by !== null && one.state === "open" && (
        <div className="row" style={{ gap: 4, marginTop: 4 }}>
          <Tag color="processing">{t("asked")}</Tag>
          <span>
            <Actor id={one.asked_by} />: {one.resolution}
          </span>
        </div>
      )}
    </div>
  );
}

function About({ one }: { one: Case }) {
  const order = orderOf(one);
  if (order !== undefined) return <Link className="copy-id" to={`/orders/${order}`}>{shortId(order)}</Link>;
  return <CopyId id={one.reference} />;
}

/** One click where one is enough; words where a person answers for it. */
function Commands({ one, resolve, work }: { one: Case; resolve: (one: Case) => void; work: (id: string) => void }) {
  const t = useWords("exceptions");
  const may = useMay();
  const { who } = useSession();
  const say = useSay("exceptions");
  const confirm = useConfirm("exceptions");
  const retry = useRetryCase();
  const fulfilment = fulfilmentOf(one);
  if (!may(one.needs_two ? "payments:write" : "orders:write")) return <span className="muted">{t("read_only")}</span>;
  const again = () =>
    one.kind === "refund_refused"
      ? confirm({ title: t("retry.title"), text: t("retry.text"), ok: t("retry.refund"), act: () => retry.mutateAsync(one.id).then(() => say.done(t("retry.done"))) })
      : retry.mutate(one.id, { onSuccess: () => say.done(t("retry.done")), onError: say.problem });
  return (
    <Space wrap size={4}>
      {one.may_retry && (
        <Button size="small" type="primary" loading={retry.isPending} onClick={again}>
          {t(one.kind === "refund_refused" ? "retry.refund" : "retry")}
        </Button>
      )}
      {fulfilment !== undefined && (
        <Button size="small" type="primary" onClick={() => work(fulfilment)}>
          {t("work")}
        </Button>
      )}
      {one.kind === "webhook_endpoint_disabled" && <Link to="/webhooks"><Button size="small">{t("webhooks")}</Button></Link>}
      <Button size="small" onClick={() => resolve(one)}>
        {t(one.asked_by === null ? "resolve" : one.asked_by === who.id ? "resolve.mine" : "resolve.agree")}
      </Button>
    </Space>
  );
}

function How({ one }: { one: Case }) {
  const t = useWords("exceptions");
  return (
    <div style={{ maxWidth: 320, whiteSpace: "normal" }}>
      <div>{one.resolution === "retried" ? t("retried") : one.resolution}</div>
      <div className="muted">
        {one.resolved_by !== null && <Actor id={one.resolved_by} />} · <Moment at={one.resolved_at} />
      </div>
      {one.asked_by !== null && (
        <div className="muted">
          {t("asked_by")} <Actor id={one.asked_by} />
        </div>
      )}
    </div>
  );
}
