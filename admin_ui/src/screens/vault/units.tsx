import { DatabaseOutlined } from "@ant-design/icons";
import { Button, Modal, Form, Input } from "antd";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { unitPages, UNIT_STATES, useUnitAct, type Unit, type UnitAct, type UnitState } from "@/api/units";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, CopyId, Empty, FilterChoice, FilterRow, ListTable, Moment, Page, ProblemNote, State, useSay, useUrlFilters, type Column } from "@/ui";
import { SkuPicker } from "@/ui/sku";
import { FindCode } from "./find";
import { StockLine } from "./stock";
import { VaultTabs } from "./tabs";
import { UnitDrawer } from "./unit";

/** Units of a SKU, masked; by batch and state. Never more than a page of the server's is here. */
export default function UnitsPage() {
  const t = useWords("vault");
  const may = useMay();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const filters = useUrlFilters(["sku_id", "batch_id", "state"] as const);
  const open = params.get("unit");
  const show = (unit: string | null) =>
    setParams((was) => {
      if (unit) was.set("unit", unit);
      else was.delete("unit");
      return was;
    });
  const [finding, setFinding] = useState(false);
  const columns: Column<Unit>[] = [
    { key: "unit", title: t("column.unit"), render: (unit) => <span className="number">{unit.unit}</span>, width: 120 },
    { key: "code", title: t("column.code"), render: (unit) => <span className="copy-id">{unit.masked ?? t("unit.no_code")}</span> },
    { key: "state", title: t("column.state"), render: (unit) => <State kind="unit" value={unit.state} noun="vault" />, phone: "head" },
    { key: "batch", title: t("column.batch"), render: (unit) => <CopyId id={unit.batch_id} /> },
    { key: "order", title: t("column.order"), render: (unit) => (unit.order_id ? <CopyId id={unit.order_id} /> : "–") },
    { key: "until", title: t("column.valid_until"), render: (unit) => <Moment at={unit.valid_until} none="–" /> },
    { key: "from", title: t("column.valid_from"), optional: true, render: (unit) => <Moment at={unit.valid_from} none="–" /> },
    { key: "sale", title: t("column.sale"), optional: true, render: (unit) => (unit.sale_id ? <CopyId id={unit.sale_id} /> : "–") },
  ];
  const { sku_id } = filters.values;
  const state = UNIT_STATES.includes(filters.values.state as UnitState) ? (filters.values.state as UnitState) : undefined;
  const controls = (
    <FilterRow filters={filters}>
      <SkuPicker value={sku_id ?? null} label={t("filter.sku_of")} onChange={(id) => filters.set({ sku_id: id ?? "", batch_id: "" })} />
      <FilterChoice filters={filters} name="state" label={t("column.state")} options={UNIT_STATES.map((value) => ({ value, label: t(`state.unit.${value}`) }))} />
      {filters.values.batch_id && <Button onClick={() => filters.set({ batch_id: "" })}>{t("filter.batch", { id: filters.values.batch_id.slice(-6) })} ×</Button>}
    </FilterRow>
  );
  return (
    <Page title={t("title")} about={t("about")} actions={may("codes:find") && <Button onClick={() => setFinding(true)}>{t("find.title")}</Button>}>
      <VaultTabs />
      {sku_id === undefined ? (
        <section className="list">
          <div className="list-head">{controls}</div>
          <Empty picture={<DatabaseOutlined />} title={t("units.choose")} text={t("units.choose_text")} />
        </section>
      ) : (
        <div className="stack">
          <StockLine id={sku_id} />
          <ListTable
            id="vault-units" columns={columns} rowKey={(unit) => String(unit.unit)} onOpen={(unit) => show(String(unit.unit))} limit={50}
            pages={unitPages({ sku_id, ...(filters.values.batch_id ? { batch_id: filters.values.batch_id } : {}), ...(state ? { state } : {}) })}
            filters={controls} filtered={state !== undefined || filters.values.batch_id !== undefined} onClear={() => filters.set({ state: "", batch_id: "" })}
            empty={
              <Empty
                picture={<DatabaseOutlined />} title={t("empty.units")} text={t("empty.units_text")}
                action={<Can permission="vault:write"><Button type="primary" onClick={() => void navigate(`/vault/import?sku_id=${sku_id}`)}>{t("wizard.title")}</Button></Can>}
              />
            }
            {...(may("vault:write") ? { batch: (rows: Unit[], clear: () => void) => <UnitActs units={rows.map((unit) => unit.unit)} onDone={clear} /> } : {})}
          />
        </div>
      )}
      {open && <UnitDrawer id={open} onClose={() => show(null)} onOther={show} />}
      {finding && <FindCode onClose={() => setFinding(false)} onFound={(unit, sku) => {
        setFinding(false);
        setParams({ sku_id: sku, unit: String(unit) });
      }} />}
    </Page>
  );
}

/** Lock, release, write off: with a reason, and what was left as it is is told. */
export function UnitActs({ units, onDone, only }: { units: number[]; onDone?: () => void; only?: UnitAct[] }) {
  const t = useWords("vault");
  const say = useSay("vault");
  const act = useUnitAct();
  const [asked, setAsked] = useState<UnitAct | null>(null);
  const send = async ({ reason }: { reason: string }) => {
    if (!asked) return;
    const done = await act.mutateAsync({ act: asked, units, reason });
    const refused = done.refused.length;
    say.done(refused ? t("act.some", { n: done.units.length, m: refused }) : t("act.done", { n: done.units.length }));
    setAsked(null);
    onDone?.();
  };
  return (
    <>
      {(only ?? (["lock", "unlock", "void"] as const)).map((each) => (
        <Button key={each} size="small" danger={each === "void"} onClick={() => (act.reset(), setAsked(each))}>
          {t(`act.${each}`)}
        </Button>
      ))}
      <Modal
        open={asked !== null} title={asked && t(`act.${asked}.title`, { n: units.length })} onCancel={() => setAsked(null)} destroyOnHidden
        okText={asked && t(`act.${asked}`)} cancelText={t("cancel")} okButtonProps={{ htmlType: "submit", form: "unit-act", danger: asked === "void", loading: act.isPending }}
      >
        <p>{asked && t(`act.${asked}.text`)}</p>
        {act.error && <ProblemNote error={act.error} noun="vault" />}
        <Form id="unit-act" layout="vertical" onFinish={(values: { reason: string }) => void send(values).catch(() => undefined)}>
          <Form.Item name="reason" label={t("reason")} rules={[{ required: true, whitespace: true, message: t("reason.needed") }]}>
            <Input maxLength={200} autoFocus />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
