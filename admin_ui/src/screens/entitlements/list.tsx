import { useState } from "react";
import { Alert } from "antd";
import { entitlementPages, useLicences, type Entitlement, type EntitlementQuery } from "../../api/entitlements";
import { useWords } from "../../shell/words";
import { Empty } from "../../ui/empty";
import { FilterChoice, FilterRow, FilterText } from "../../ui/filters";
import { ListTable } from "../../ui/list_table";
import { Page } from "../../ui/page";
import { useUrlFilters, type UrlFilters } from "../../ui/url_filters";
import { useEntitlementColumns } from "./columns";
import { EntitlementDrawer } from "./drawer";
import { LicencesOfOrder } from "./licences";

const TYPES = ["membership", "licence", "topup", "ticket", "booking"];
const STATES = ["active", "expired", "revoked"];
const NAMES = ["find", "type", "state"] as const;

/** What units entitle to: found by type and state, or by an order's or a customer's number. */
export default function EntitlementList() {
  const t = useWords("entitlements");
  const filters = useUrlFilters(NAMES);
  const [open, setOpen] = useState<Entitlement | null>(null);
  const query = queryOf(filters);
  const unknown = filters.values.find !== undefined && query.order_id === undefined && query.shopper_id === undefined;
  return (
    <Page title={t("title")} about={t("about")}>
      {unknown && <Alert type="info" showIcon title={t("find.unknown")} style={{ marginBottom: 12 }} />}
      {query.order_id !== undefined && <Unactivated orderId={query.order_id} />}
      <ListTable<Entitlement>
        id="entitlements" columns={useEntitlementColumns(false)} pages={entitlementPages(query)} rowKey={(row) => row.id} onOpen={setOpen}
        filters={
          <FilterRow filters={filters}>
            <FilterText filters={filters} name="find" label={t("filter.find")} width={280} />
            <FilterChoice filters={filters} name="type" label={t("filter.type")} options={TYPES.map((value) => ({ value, label: t(`type.${value}`) }))} />
            {(filters.values.type !== undefined || filters.values.find !== undefined) && (
              <FilterChoice filters={filters} name="state" label={t("filter.state")} options={STATES.map((value) => ({ value, label: t(`state.${value}`) }))} />
            )}
          </FilterRow>
        }
        filtered={filters.any} onClear={filters.clear} empty={<Empty title={t("empty.title")} text={t("empty.text")} />}
      />
      {open !== null && <EntitlementDrawer one={open} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function queryOf(filters: UrlFilters<(typeof NAMES)[number]>): EntitlementQuery {
  const { find, type, state } = filters.values;
  const query: EntitlementQuery = {};
  if (/^ord_[0-9a-f]{32}$/.test(find ?? "")) query.order_id = find as string;
  if (/^shp_[0-9a-f]{32}$/.test(find ?? "")) query.shopper_id = find as string;
  if (type !== undefined) query.type = type;
  const isNarrow = query.type !== undefined || query.order_id !== undefined || query.shopper_id !== undefined;
  if (isNarrow && STATES.includes(state ?? "")) query.state = state as NonNullable<EntitlementQuery["state"]>;
  return query;
}

/** Licences begin with their first activation; those of an order are shown before it too. */
function Unactivated({ orderId }: { orderId: string }) {
  const { data } = useLicences(orderId);
  return data === undefined || data.length === 0 ? null : <LicencesOfOrder licences={data} />;
}
