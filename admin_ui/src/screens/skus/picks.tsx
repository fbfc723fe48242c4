import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Flex, Form, Input, Switch, Table } from "antd";
import { useState } from "react";
import { pickPages, useChangePicks, type PickView } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { FormDrawer, Moment, Money, ProblemNote, useSay } from "@/ui";
import { amountText, parseAmount } from "./amount";
import { MoneyItem } from "./form";

/** What shoppers choose units by: labels, surcharges, and whether each is offered. */
export function PicksPanel({ id, currency }: { id: string; currency: string }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const change = useChangePicks(id);
  const [edited, setEdited] = useState<PickView | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["picks", id],
    queryFn: ({ pageParam }) => pickPages(id)(pageParam ? { limit: 50, cursor: pageParam } : { limit: 50 }).queryFn(),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const canEdit = may("catalog:write");
  return (
    <Flex vertical gap={12}>
      {query.error && <ProblemNote error={query.error} noun="skus" />}
      <Table<PickView>
        size="small" rowKey="pick" dataSource={rows} pagination={false} loading={query.isPending} scroll={{ x: "max-content" }} locale={{ emptyText: t("pick.none") }}
        columns={[
          { title: t("pick.label"), render: (_, pick) => <>{pick.label}<span className="grid-sub">{pick.pick}</span></> },
          { title: t("pick.available"), align: "right", render: (_, pick) => (pick.available >= 100 ? "100+" : pick.available) },
          { title: t("make.surcharge"), align: "right", render: (_, pick) => <Money minor={pick.surcharge_minor} currency={currency} /> },
          { title: t("pick.until"), render: (_, pick) => <Moment at={pick.offered_until} none="–" /> },
          { title: t("pick.on"), render: (_, pick) => <Switch size="small" checked={pick.is_on} disabled={!canEdit} aria-label={t("pick.on")} onChange={(is_on) => change.mutate([{ pick: pick.pick, is_on }], { onError: say.problem })} /> },
          ...(canEdit ? [{ title: "", render: (_: unknown, pick: PickView) => <Button size="small" onClick={() => setEdited(pick)}>{t("edit")}</Button> }] : []),
        ]}
      />
      {query.hasNextPage && <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t("grid.next", { n: 50 })}</Button>}
      {edited && (
        <FormDrawer<{ label: string; surcharge: string }>
          open title={edited.label} ok={t("save")} noun="skus" onClose={() => setEdited(null)}
          initial={{ label: edited.label, surcharge: amountText(edited.surcharge_minor, currency) }}
          onSubmit={({ label, surcharge }) => {
            const amount = parseAmount(surcharge || "0", currency);
            return change.mutateAsync([{ pick: edited.pick, is_on: edited.is_on, label, ...("minor" in amount ? { surcharge_minor: amount.minor } : {}) }]);
          }}
        >
          <Form.Item name="label" label={t("pick.label")} rules={[{ required: true, whitespace: true, message: t("field.needed") }]}>
            <Input maxLength={100} />
          </Form.Item>
          <MoneyItem name="surcharge" label={t("make.surcharge")} />
        </FormDrawer>
      )}
    </Flex>
  );
}
