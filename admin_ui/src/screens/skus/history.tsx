import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Flex, Table } from "antd";
import { Link } from "react-router";
import { priceHistoryPages, type PriceVersion } from "@/api/prices";
import { useWords } from "@/shell/words";
import { Moment, Money, ProblemNote } from "@/ui";

/** A SKU's prices on all lists, newest version first. */
export function HistoryPanel({ id, currency }: { id: string; currency: string }) {
  const t = useWords("skus");
  const query = useInfiniteQuery({
    queryKey: ["price-history", id],
    queryFn: ({ pageParam }) => priceHistoryPages(id)(pageParam ? { limit: 20, cursor: pageParam } : { limit: 20 }).queryFn(),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  return (
    <Flex vertical gap={12}>
      <p className="muted" style={{ margin: 0 }}>{t("history.about")}</p>
      {query.error && <ProblemNote error={query.error} noun="skus" />}
      <Table<PriceVersion>
        size="small" rowKey="id" dataSource={query.data?.pages.flatMap((page) => page.rows) ?? []} pagination={false} loading={query.isPending}
        scroll={{ x: "max-content" }} locale={{ emptyText: t("history.none") }}
        columns={[
          { title: t("history.list"), render: (_, each) => <Link to={`/prices/${each.list_id}`}>{each.list_name}</Link> },
          { title: t("history.least"), align: "right", dataIndex: "least_quantity" },
          { title: t("history.price"), align: "right", render: (_, each) => <Money minor={each.unit_minor} currency={currency} /> },
          { title: t("history.since"), render: (_, each) => <Moment at={each.since} /> },
          { title: t("history.until"), render: (_, each) => <Moment at={each.ended_at} none={t("history.now")} /> },
        ]}
      />
      {query.hasNextPage && <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t("grid.next", { n: 20 })}</Button>}
    </Flex>
  );
}
