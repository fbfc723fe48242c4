import { Tag } from "antd";
import { Link, useNavigate } from "react-router";
import { shopperPages, type Shopper } from "../../api/shoppers";
import { useWords } from "../../shell/words";
import { CopyId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { FilterRow, FilterText } from "../../ui/filters";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Page } from "../../ui/page";
import { useUrlFilters } from "../../ui/url_filters";
import { masked } from "../orders/contact";

/** Everybody who ordered, by the last order; found by any part of a contact. */
export default function CustomerList() {
  const t = useWords("customers");
  const navigate = useNavigate();
  const filters = useUrlFilters(["q"] as const);
  const columns: Column<Shopper>[] = [
    {
      key: "contact", title: t("column.contact"),
      render: (row) => (
        <Link to={`/customers/${row.id}`}>{row.contact === null ? t(row.erased_at === null ? "anonymous" : "erased") : masked(row.contact)}</Link>
      ),
    },
    { key: "orders", title: t("column.orders"), align: "right", render: (row) => <span className="number">{row.orders}</span> },
    {
      key: "unfinished", title: t("column.unfinished"),
      render: (row) => (row.unfinished > 0 ? <Tag color="processing">{t("unfinished", { n: row.unfinished })}</Tag> : <span className="muted">–</span>),
    },
    { key: "last", title: t("column.last"), phone: "head", render: (row) => <Moment at={row.last_order_at} none="–" /> },
    { key: "id", title: t("column.id"), phone: "none", render: (row) => <CopyId id={row.id} /> },
  ];
  return (
    <Page title={t("title")} about={t("about")}>
      <ListTable<Shopper>
        id="customers" columns={columns} pages={shopperPages(filters.values.q ?? "")} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/customers/${row.id}`)}
        filters={
          <FilterRow filters={filters}>
            <FilterText filters={filters} name="q" label={t("filter.q")} />
          </FilterRow>
        }
        filtered={filters.any} onClear={filters.clear} empty={<Empty title={t("empty.title")} text={t("empty.text")} />}
      />
    </Page>
  );
}
