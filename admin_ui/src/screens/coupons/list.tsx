import { GiftOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Space } from "antd";
import { useState } from "react";
import { couponPages, useActOnCoupon, useChangeCoupon, useCreateCoupon, type Coupon, type CouponAct, type CouponState } from "@/api/coupons";
import { useMay, useSession } from "@/shell/session";
import { useLanguage, useWords } from "@/shell/words";
import { Empty, FormDrawer, Money, Page, State } from "@/ui";
import { useConfirm } from "@/ui/confirm";
import { FilterChoice, FilterRow } from "@/ui/filters";
import { ListTable, type Column } from "@/ui/list_table";
import { moneyText } from "@/ui/money";
import { useUrlFilters } from "@/ui/url_filters";
import { bodyOf, CouponFields, formOf, isPlain, NEW, type CouponForm } from "./form";

const STATES: CouponState[] = ["draft", "active", "paused", "ended"];
const ACTS: Record<string, CouponAct[]> = { draft: ["start", "end"], active: ["pause", "end"], paused: ["resume", "end"], ended: [] };
const TONES = { draft: "plain", active: "good", paused: "warn", ended: "plain" } as const;

/** What it takes off, in a few words. */
function useWorth(): (coupon: Coupon) => string {
  const t = useWords("coupons");
  const { language } = useLanguage();
  return (coupon) => {
    const money = (minor: number) => moneyText(minor, coupon.currency, language);
    const off = coupon.kind === "fixed" ? t("worth.fixed", { amount: money(coupon.off_minor) }) : t("worth.percent", { n: coupon.off_bp / 100 });
    const cap = coupon.cap_minor ? t("worth.cap", { amount: money(coupon.cap_minor) }) : "";
    return [off, coupon.threshold_minor ? t("worth.from", { amount: money(coupon.threshold_minor) }) : "", cap].filter(Boolean).join(" · ");
  };
}

export default function Coupons() {
  const t = useWords("coupons");
  const may = useMay();
  const { store } = useSession();
  const filters = useUrlFilters(["state"] as const);
  const state = STATES.find((each) => each === filters.values.state);
  const create = useCreateCoupon();
  const change = useChangeCoupon();
  const [writing, setWriting] = useState<Coupon | "new" | null>(null);
  const columns = useColumns(setWriting);
  const add = may("coupons:write") && <Button type="primary" icon={<PlusOutlined />} onClick={() => setWriting("new")}>{t("create")}</Button>;
  return (
    <Page title={t("title")} about={t("about")} primary={add}>
      <ListTable<Coupon>
        id="coupons" columns={columns} pages={couponPages(state ? { state } : {})} rowKey={(row) => row.id}
        filters={
          <FilterRow filters={filters}>
            <FilterChoice filters={filters} name="state" label={t("column.state")} options={STATES.map((value) => ({ value, label: t(`state.coupon.${value}`) }))} />
          </FilterRow>
        }
        filtered={state !== undefined} onClear={filters.clear}
        empty={<Empty picture={<GiftOutlined />} title={t("empty.title")} text={t("empty.text")} action={add} />}
      />
      {writing !== null && (
        <FormDrawer<CouponForm>
          open title={writing === "new" ? t("create") : t("edit")} ok={t("save")} noun="coupons" onClose={() => setWriting(null)}
          initial={writing === "new" ? NEW : formOf(writing)}
          onSubmit={(form) => {
            const body = bodyOf(form, store.currency);
            return writing === "new" ? create.mutateAsync(body) : change.mutateAsync({ id: writing.id, body });
          }}
        >
          <CouponFields currency={store.currency} />
        </FormDrawer>
      )}
    </Page>
  );
}

function useColumns(write: (coupon: Coupon) => void): Column<Coupon>[] {
  const t = useWords("coupons");
  const worth = useWorth();
  const of = (count: number, most: number | null) => (most === null ? String(count) : t("of", { count, most }));
  return [
    { key: "name", title: t("column.name"), render: (row) => <><strong>{row.name}</strong><div className="muted">{worth(row)}</div></> },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <State kind="coupon" value={row.state} noun="coupons" tone={TONES[row.state as CouponState]} /> },
    { key: "claim", title: t("column.claim"), render: (row) => (row.code ? `${t("claim.code")} ${row.code}` : t(`claim.${row.claim}`)) },
    { key: "claimed", title: t("column.claimed"), align: "right", render: (row) => of(row.claimed, row.claims_max) },
    { key: "used", title: t("column.used"), align: "right", render: (row) => of(row.used, row.uses_max) },
    { key: "locked", title: t("column.locked"), align: "right", optional: true, render: (row) => row.locked },
    { key: "spent", title: t("column.spent"), align: "right", render: (row) => <Money minor={row.spent_minor} currency={row.currency} /> },
    { key: "act", title: t("column.act"), always: true, render: (row) => <Commands one={row} write={write} /> },
  ];
}

function Commands({ one, write }: { one: Coupon; write: (coupon: Coupon) => void }) {
  const t = useWords("coupons");
  const may = useMay();
  const confirm = useConfirm("coupons");
  const act = useActOnCoupon();
  if (!may("coupons:write")) return null;
  const ask = (what: CouponAct) =>
    confirm({
      title: t(`act.${what}.title`, { name: one.name }), text: t(`act.${what}.text`, { n: one.claimed - one.used - one.locked }), ok: t(`act.${what}.ok`),
      danger: what === "end", act: () => act.mutateAsync({ id: one.id, act: what }),
    });
  return (
    <Space size="small" wrap>
      {one.state === "draft" && isPlain(one) && <Button size="small" onClick={() => write(one)}>{t("edit")}</Button>}
      {(ACTS[one.state] ?? []).map((what) => <Button key={what} size="small" danger={what === "end"} onClick={() => ask(what)}>{t(`act.${what}.ok`)}</Button>)}
    </Space>
  );
}
