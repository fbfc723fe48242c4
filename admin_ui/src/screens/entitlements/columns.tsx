import { Tag } from "antd";
import { Link } from "react-router";
import type { Entitlement } from "../../api/entitlements";
import { useWords } from "../../shell/words";
import { shortId } from "../../ui/copy_id";
import type { Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";

const COLORS: Record<string, string> = { active: "success", expired: "default", revoked: "error" };

export function EntitlementState({ value }: { value: string }) {
  const t = useWords("entitlements");
  return <Tag color={COLORS[value] ?? "default"}>{t(`state.${value}`)}</Tag>;
}

export function useEntitlementColumns(ofOne: boolean): Column<Entitlement>[] {
  const t = useWords("entitlements");
  const all: Column<Entitlement>[] = [
    { key: "type", title: t("column.type"), render: (row) => t(`type.${row.type}`) },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <EntitlementState value={row.state} /> },
    { key: "from", title: t("column.from"), render: (row) => <Moment at={row.valid_from} /> },
    { key: "until", title: t("column.until"), render: (row) => <Moment at={row.valid_until} none={t("forever")} /> },
    { key: "unit", title: t("column.unit"), render: (row) => <span className="number">#{row.unit}</span> },
    { key: "order", title: t("column.order"), render: (row) => <Link className="copy-id" to={`/orders/${row.order_id}`}>{shortId(row.order_id)}</Link> },
    { key: "shopper", title: t("column.shopper"), phone: "none", render: (row) => <Link className="copy-id" to={`/customers/${row.shopper_id}`}>{shortId(row.shopper_id)}</Link> },
  ];
  return ofOne ? all.filter((column) => column.key !== "shopper") : all;
}
