import { ImportOutlined, SafetyOutlined } from "@ant-design/icons";
import { Button, Flex, Skeleton } from "antd";
import { Link, useNavigate } from "react-router";
import { skuPages, useSku, type Sku, type Stock } from "@/api/skus";
import { useTypes } from "@/api/products";
import { useLanguage, useWords } from "@/shell/words";
import { Can, Empty, FilterRow, FilterText, ListTable, Page, State, useUrlFilters, type Column } from "@/ui";
import { skuTitle } from "@/ui/sku";
import { VaultTabs } from "./tabs";
import { UploadList } from "./imports";

const SHOWN = ["available", "held", "sold", "locked", "expired", "quarantined", "void", "loading"] as const;

/** What there is of each SKU, by state. Figures are counted as a row is shown. */
export default function StockPage() {
  const t = useWords("vault");
  const navigate = useNavigate();
  const { language } = useLanguage();
  const types = useTypes().data;
  const filters = useUrlFilters(["q"] as const);
  const columns: Column<Sku>[] = [
    { key: "sku", title: t("column.sku"), render: (sku) => <Link to={`/vault/units?sku_id=${sku.id}`}>{skuTitle(sku)}</Link>, width: 260 },
    { key: "type", title: t("column.type"), optional: true, render: (sku) => types?.find((each) => each.name === sku.type)?.label[language] ?? sku.type },
    { key: "loose", title: t("stock.unallotted"), align: "right", render: (sku) => <Figure id={sku.id} of="unallotted" /> },
    ...SHOWN.map((state) => ({
      key: state, title: t(`stock.${state}`), align: "right" as const, optional: ["quarantined", "loading", "void"].includes(state),
      render: (sku: Sku) => <Figure id={sku.id} of={state} />,
    })),
    {
      key: "act", title: "", always: true, align: "right",
      render: (sku) => (
        <Can permission="vault:write">
          {types?.find((each) => each.name === sku.type)?.stock === "imported" && (
            <Link to={`/vault/import?sku_id=${sku.id}`}>
              <Button size="small" icon={<ImportOutlined />} tabIndex={-1}>{t("import")}</Button>
            </Link>
          )}
        </Can>
      ),
    },
  ];
  return (
    <Page
      title={t("title")} about={t("about")}
      primary={<Can permission="vault:write"><Button type="primary" icon={<ImportOutlined />} onClick={() => void navigate("/vault/import")}>{t("wizard.title")}</Button></Can>}
    >
      <VaultTabs />
      <div className="stack">
        <UploadList />
        <ListTable
          id="vault-stock" columns={columns} pages={skuPages(filters.values)} rowKey={(sku) => sku.id} filtered={filters.any} onClear={filters.clear}
          filters={<FilterRow filters={filters}><FilterText filters={filters} name="q" label={t("filter.sku")} /></FilterRow>}
          empty={
            <Empty
              picture={<SafetyOutlined />} title={t("empty.stock")} text={t("empty.stock_text")}
              action={<Link to="/products"><Button type="primary" tabIndex={-1}>{t("empty.stock_action")}</Button></Link>}
            />
          }
        />
      </div>
    </Page>
  );
}

function Figure({ id, of }: { id: string; of: keyof Stock }) {
  const { language } = useLanguage();
  const { data } = useSku(id);
  if (!data) return <Skeleton.Button active size="small" style={{ width: 40, minWidth: 40 }} />;
  const n = data.value.stock[of] ?? 0;
  return <span className={`number${n === 0 ? " muted" : ""}`}>{new Intl.NumberFormat(language).format(n)}</span>;
}

/** The same as one line: on a SKU's own page, above its units. */
export function StockLine({ id }: { id: string }) {
  const { language } = useLanguage();
  const { data } = useSku(id);
  if (!data) return <Skeleton.Button active size="small" />;
  return (
    <Flex gap="4px 16px" wrap>
      {SHOWN.filter((state) => state === "available" || data.value.stock[state]).map((state) => (
        <span key={state}>
          <State kind="unit" value={state} noun="vault" /> <span className="number">{new Intl.NumberFormat(language).format(data.value.stock[state] ?? 0)}</span>
        </span>
      ))}
    </Flex>
  );
}
