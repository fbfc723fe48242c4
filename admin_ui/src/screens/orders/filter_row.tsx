import { useQuery } from "@tanstack/react-query";
import { Select, Tag } from "antd";
import { api, take } from "../../api/client";
import { everyPage } from "../../api/query";
import { useTags } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { shortId } from "../../ui/copy_id";
import { FilterChoice, FilterRow, FilterText, FilterTime } from "../../ui/filters";
import type { UrlFilters } from "../../ui/url_filters";
import { SPANS, STATES, type FILTER_NAMES } from "./filters";

type Filters = UrlFilters<(typeof FILTER_NAMES)[number]>;

const SALES_MAX = 300; // the newest; an older one is found by the name of what it sold

export function OrderFilters({ filters }: { filters: Filters }) {
  const t = useWords("orders");
  const { data: tags } = useTags();
  const sales = useSales();
  const channels = useChannels();
  const { values } = filters;
  return (
    <FilterRow filters={filters}>
      <FilterText filters={filters} name="q" label={t("filter.q")} width={230} />
      <FilterChoice filters={filters} name="state" label={t("filter.state")} options={STATES.map((value) => ({ value, label: t(`state.order.${value}`) }))} />
      <FilterChoice filters={filters} name="sale_id" label={t("filter.sale")} options={sales} search />
      <FilterChoice filters={filters} name="tag_id" label={t("filter.tag")} options={(tags ?? []).map((tag) => ({ value: tag.id, label: tag.name }))} search />
      <FilterChoice filters={filters} name="channel" label={t("filter.channel")} options={channels} />
      <Select
        allowClear aria-label={t("filter.span")} placeholder={t("filter.span")} style={{ minWidth: 116 }} popupMatchSelectWidth={false}
        options={SPANS.map((value) => ({ value, label: t(`span.${value}`) }))} value={values.span ?? null}
        onChange={(span: string | null) => filters.set({ span: span ?? "", since: "", until: "" })}
      />
      {values.span === undefined && <FilterTime filters={filters} since="since" until="until" />}
      {values.shopper_id !== undefined && (
        <Tag closable onClose={() => filters.set({ shopper_id: "" })} style={{ alignSelf: "center" }}>
          {t("filter.shopper_of", { id: shortId(values.shopper_id) })}
        </Tag>
      )}
    </FilterRow>
  );
}

function useSales() {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ["sale-names"],
    queryFn: () =>
      everyPage(async (page) => {
        const answer = await take(api.GET("/v1/sales", { params: { query: page } }));
        return { rows: answer.sales, next: answer.next_cursor };
      }, SALES_MAX),
    enabled: may("sales:read"),
    staleTime: 60_000,
  });
  return (data ?? []).map((sale) => ({ value: sale.id, label: sale.name }));
}

function useChannels() {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ["channel-names"],
    queryFn: async () => (await take(api.GET("/v1/channels"))).channels,
    enabled: may("store:read"),
    staleTime: 300_000,
  });
  return (data ?? []).map((channel) => ({ value: channel.code, label: channel.name }));
}
