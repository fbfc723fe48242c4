import { PlusOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { Button, Progress as Bar } from "antd";
import { Link, useNavigate } from "react-router";
import { lookOf, salePages, type Sale } from "@/api/sales";
import { useWords } from "@/shell/words";
import { Can, CopyId, Empty, FilterChoice, FilterRow, ListTable, Moment, Money, Page, State, useUrlFilters, type Column } from "@/ui";

const REFRESH_MS = 15_000;

export default function SaleList() {
  const t = useWords("sales");
  const navigate = useNavigate();
  const filters = useUrlFilters(["state", "sku_id"] as const);
  const create = (
    <Can permission="sales:write">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate("/sales/new")}>
        {t("create")}
      </Button>
    </Can>
  );
  const columns: Column<Sale>[] = [
    { key: "name", title: t("name"), render: (sale) => <Link to={`/sales/${sale.id}`}>{sale.name}</Link> },
    { key: "state", title: t("state"), phone: "head", render: (sale) => <State kind="sale" value={lookOf(sale)} noun="sales" /> },
    { key: "price", title: t("price"), align: "right", render: (sale) => <Money minor={sale.price_minor} currency={sale.currency} /> },
    { key: "sold", title: t("sold"), width: 220, render: (sale) => <Sold sale={sale} /> },
    { key: "starts", title: t("starts"), render: (sale) => <Moment at={sale.starts_at} /> },
    { key: "ends", title: t("ends"), render: (sale) => <Moment at={sale.ends_at} none={t("no_end")} /> },
    { key: "limit", title: t("limit"), optional: true, align: "right", render: (sale) => (sale.limit_per_shopper === 0 ? t("no_limit") : sale.limit_per_shopper) },
    { key: "door", title: t("door"), optional: true, render: (sale) => t(`door.${sale.door}`) },
    { key: "id", title: "ID", optional: true, render: (sale) => <CopyId id={sale.id} /> },
  ];
  const states = (["open", "paused", "ended"] as const).map((value) => ({ value, label: t(`state.sale.${value}`) }));
  return (
    <Page title={t("title")} about={t("about")} primary={create}>
      <ListTable
        id="sales" columns={columns} pages={salePages(filters.values)} rowKey={(sale) => sale.id} refresh={REFRESH_MS}
        onOpen={(sale) => void navigate(`/sales/${sale.id}`)} filtered={filters.any} onClear={filters.clear}
        filters={
          <FilterRow filters={filters}>
            <FilterChoice filters={filters} name="state" label={t("state")} options={states} />
          </FilterRow>
        }
        empty={<Empty picture={<ThunderboltOutlined />} title={t("none.title")} text={t("none.text")} action={create} />}
      />
    </Page>
  );
}

function Sold({ sale }: { sale: Sale }) {
  const t = useWords("sales");
  const share = sale.allotted === 0 ? 0 : Math.floor((sale.committed / sale.allotted) * 100);
  return (
    <div>
      <Bar percent={share} size="small" strokeColor="var(--ant-color-primary)" showInfo={false} aria-label={t("sold_share", { n: share })} />
      <span className="number muted">{t("sold_of", { n: sale.committed.toLocaleString(), all: sale.allotted.toLocaleString() })}</span>
    </div>
  );
}
