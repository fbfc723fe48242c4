import { Link } from "react-router";
import { refundPages, type Refund, type RefundState } from "../../api/payments";
import { useWords } from "../../shell/words";
import { CopyId, shortId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { FilterChoice, FilterRow } from "../../ui/filters";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { State } from "../../ui/state";
import { useUrlFilters } from "../../ui/url_filters";
import { tone } from "../orders/tones";

const STATES: RefundState[] = ["requested", "succeeded", "failed"];

export function Refunds() {
  const t = useWords("payments");
  const filters = useUrlFilters(["state"] as const);
  const state = STATES.find((each) => each === filters.values.state);
  const columns: Column<Refund>[] = [
    { key: "order", title: t("column.order"), render: (row) => <Link className="copy-id" to={`/orders/${row.order_id}`}>{shortId(row.order_id)}</Link> },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <State kind="refund" noun="orders" value={row.state} tone={tone("refund", row.state)} /> },
    { key: "amount", title: t("column.amount"), align: "right", render: (row) => <Money minor={row.amount_minor} currency={row.currency} /> },
    { key: "reason", title: t("column.reason"), render: (row) => t(`reason.${row.reason}`) },
    { key: "begun", title: t("column.begun"), render: (row) => <Moment at={row.created_at} /> },
    { key: "ended", title: t("column.ended"), render: (row) => <Moment at={row.finished_at} none="–" /> },
    { key: "no", title: t("column.refund_no"), render: (row) => <CopyId id={row.out_refund_no} /> },
  ];
  return (
    <ListTable<Refund>
      id="refunds" columns={columns} pages={refundPages(state)} rowKey={(row) => row.id}
      filters={
        <FilterRow filters={filters}>
          <FilterChoice filters={filters} name="state" label={t("column.state")} options={STATES.map((value) => ({ value, label: t(`refund.${value}`) }))} />
          {state === "failed" && <Link to="/exceptions?kind=refund_refused" style={{ alignSelf: "center" }}>{t("refused.where")}</Link>}
        </FilterRow>
      }
      filtered={filters.any} onClear={filters.clear} empty={<Empty title={t("refunds.empty.title")} text={t("refunds.empty.text")} />}
    />
  );
}
