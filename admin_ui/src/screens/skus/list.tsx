import { TableOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { useCallback, useMemo, useState } from "react";
import { Link } from "react-router";
import { askSkus, type Sku } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, FilterRow, FilterText, Page, ProblemNote, useUrlFilters } from "@/ui";
import { SkuDrawer } from "./drawer";
import { GridSection, type Panel } from "./grid_section";

const AT_ONCE = 100;

/** All SKUs of the store as a grid, a hundred more at a time; the search is the server's. */
export default function SkuGridPage() {
  const t = useWords("skus");
  const may = useMay();
  const filters = useUrlFilters(["q"] as const);
  const [open, setOpen] = useState<{ sku: Sku; panel: Panel } | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["skus", "grid", filters.values],
    queryFn: ({ pageParam }) => askSkus({ ...filters.values, limit: AT_ONCE, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const skus = useMemo(() => query.data?.pages.flatMap((page) => page.rows), [query.data]);
  const show = useCallback((sku: Sku, panel: Panel) => setOpen({ sku, panel }), []);
  return (
    <Page title={t("title")} about={t("about")} actions={may("catalog:write") && <Link to="/skus/files"><Button tabIndex={-1}>{t("files.title")}</Button></Link>}>
      <div className="stack" style={{ gap: 12 }}>
        <FilterRow filters={filters}>
          <FilterText filters={filters} name="q" label={t("filter.q")} width={320} />
        </FilterRow>
        {query.error && <ProblemNote error={query.error} noun="skus" />}
        {query.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
        {skus?.length === 0 && (
          <Empty
            picture={<TableOutlined />} title={t(filters.any ? "empty.none" : "empty.title")} text={t(filters.any ? "empty.none_text" : "empty.text_all")}
            action={filters.any ? <Button onClick={filters.clear}>{t("filters.clear")}</Button> : <Link to="/products"><Button type="primary" tabIndex={-1}>{t("empty.products")}</Button></Link>}
          />
        )}
        {skus && skus.length > 0 && <GridSection skus={skus} withProduct onOpen={show} />}
        {query.hasNextPage && <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} style={{ alignSelf: "center" }}>{t("grid.next", { n: AT_ONCE })}</Button>}
      </div>
      {open && <SkuDrawer sku={open.sku} panel={open.panel} onPanel={(panel) => setOpen({ ...open, panel })} onClose={() => setOpen(null)} />}
    </Page>
  );
}
