import { Link } from "react-router";
import { receiptPages, type Disposition, type Receipt } from "../../api/payments";
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

const DISPOSITIONS: Disposition[] = ["applied", "late", "double", "mismatch"];

export function Receipts() {
  const t = useWords("payments");
  const filters = useUrlFilters(["disposition"] as const);
  const disposition = DISPOSITIONS.find((each) => each === filters.values.disposition);
  const columns: Column<Receipt>[] = [
    { key: "order", title: t("column.order"), render: (row) => <Link className="copy-id" to={`/orders/${row.order_id}`}>{shortId(row.order_id)}</Link> },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <State kind="payment" noun="orders" value={row.disposition} tone={tone("payment", row.disposition)} /> },
    { key: "amount", title: t("column.amount"), align: "right", render: (row) => <Money minor={row.amount_minor} currency={row.currency} /> },
    { key: "at", title: t("column.paid"), render: (row) => <Moment at={row.paid_at} /> },
    { key: "provider", title: t("column.provider"), render: (row) => `${t(`provider.${row.provider}`)} · ${row.mch_id}` },
    { key: "txn", title: t("column.txn"), render: (row) => <CopyId id={row.txn_id} /> },
  ];
  return (
    <ListTable<Receipt>
      id="payments" columns={columns} pages={receiptPages(disposition)} rowKey={(row) => row.id}
      filters={
        <FilterRow filters={filters}>
          <FilterChoice filters={filters} name="disposition" label={t("filter.disposition")} options={DISPOSITIONS.map((value) => ({ value, label: t(`disposition.${value}`) }))} />
        </FilterRow>
      }
      filtered={filters.any} onClear={filters.clear} empty={<Empty title={t("received.empty.title")} text={t("received.empty.text")} />}
    />
  );
}
