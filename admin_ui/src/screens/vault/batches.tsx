import { InboxOutlined } from "@ant-design/icons";
import { Alert, Button, Dropdown, Flex, Form, Input, InputNumber, Modal, Radio } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { Link } from "react-router";
import { batchPages, useBatchActs, type Batch } from "@/api/vault";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Between } from "@/ui/between";
import { CopyId, Empty, FilterRow, FormDrawer, ListTable, Moment, Money, Page, ProblemNote, State, useSay, useUrlFilters, type Column } from "@/ui";
import { SkuName, SkuPicker } from "@/ui/sku";
import { VaultTabs } from "./tabs";

/** What came in together: its turn, its dates, and taking it back. */
export default function BatchesPage() {
  const t = useWords("vault");
  const may = useMay();
  const { store } = useSession();
  const filters = useUrlFilters(["sku_id"] as const);
  const [terms, setTerms] = useState<Batch | null>(null);
  const [recall, setRecall] = useState<Batch | null>(null);
  const columns: Column<Batch>[] = [
    { key: "batch", title: t("column.batch"), render: (batch) => <CopyId id={batch.id} />, width: 170 },
    { key: "sku", title: t("column.sku"), render: (batch) => <SkuName id={batch.sku_id} /> },
    { key: "from", title: t("batch.from"), render: (batch) => (batch.kind === "made" ? t("batch.made") : <Link to={`/vault/imports/${batch.id}`}>{batch.filename || t("import.unnamed")}</Link>) },
    { key: "state", title: t("column.state"), phone: "head", render: (batch) => (batch.recalled_as ? <State kind="batch" value={`recalled_${batch.recalled_as}`} noun="vault" tone="bad" /> : <State kind="batch" value={batch.state} noun="vault" tone={batch.state === "loaded" ? "good" : batch.state === "failed" ? "bad" : "busy"} />) },
    { key: "loaded", title: t("column.loaded"), align: "right", render: (batch) => <span className="number">{batch.loaded}</span> },
    { key: "cost", title: t("batch.cost"), align: "right", render: (batch) => (batch.cost_minor === null ? "–" : <Money minor={batch.cost_minor} currency={store.currency} />) },
    { key: "priority", title: t("terms.priority"), align: "right", render: (batch) => batch.priority },
    { key: "until", title: t("column.valid_until"), render: (batch) => <Moment at={batch.valid_until} none="–" /> },
    { key: "source", title: t("column.source"), optional: true, render: (batch) => batch.source || "–" },
    { key: "note", title: t("column.note"), optional: true, render: (batch) => batch.note || "–" },
    { key: "why", title: t("batch.why"), optional: true, render: (batch) => batch.recall_reason ?? "–" },
    { key: "when", title: t("column.when"), render: (batch) => <Moment at={batch.created_at} /> },
    {
      key: "act", title: "", always: true, align: "right",
      render: (batch) =>
        may("vault:write") && batch.state === "loaded" ? (
          <Flex gap={4} justify="end">
            <Dropdown
              menu={{
                items: [
                  { key: "units", label: <Link to={`/vault/units?sku_id=${batch.sku_id}&batch_id=${batch.id}`}>{t("upload.units")}</Link> },
                  { key: "terms", label: t("batch.terms"), onClick: () => setTerms(batch) },
                  { key: "recall", label: t(batch.recalled_as ? "batch.restore" : "batch.recall"), danger: !batch.recalled_as, onClick: () => setRecall(batch) },
                ],
              }}
              trigger={["click"]}
            >
              <Button size="small">{t("more")}</Button>
            </Dropdown>
          </Flex>
        ) : null,
    },
  ];
  return (
    <Page title={t("title")} about={t("about")}>
      <VaultTabs />
      <ListTable
        id="vault-batches" columns={columns} pages={batchPages(filters.values)} rowKey={(batch) => batch.id} filtered={filters.any} onClear={filters.clear}
        filters={<FilterRow filters={filters}><SkuPicker allowClear value={filters.values.sku_id ?? null} label={t("filter.sku_of")} onChange={(id) => filters.set({ sku_id: id ?? "" })} /></FilterRow>}
        empty={<Empty picture={<InboxOutlined />} title={t("empty.batches")} text={t("empty.batches_text")} />}
      />
      {terms && <Terms batch={terms} onClose={() => setTerms(null)} />}
      {recall && <Recall batch={recall} onClose={() => setRecall(null)} />}
    </Page>
  );
}

interface TermsForm {
  priority: number;
  valid?: [Dayjs | null, Dayjs | null];
}

function Terms({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const t = useWords("vault");
  const { store } = useSession();
  const { set } = useBatchActs(batch.id);
  const local = (at: string | null) => (at ? dayjs(at).tz(store.zone) : null);
  const zoned = (at: Dayjs | null | undefined) => (at ? dayjs.tz(at.format("YYYY-MM-DDTHH:mm:ss"), store.zone).toISOString() : null);
  return (
    <FormDrawer<TermsForm>
      open title={t("batch.terms")} ok={t("save")} noun="vault" onClose={onClose}
      initial={{ priority: batch.priority, valid: [local(batch.valid_from), local(batch.valid_until)] }}
      onSubmit={({ priority, valid }) => set.mutateAsync({ priority, valid_from: zoned(valid?.[0]), valid_until: zoned(valid?.[1]) })}
    >
      <Form.Item name="priority" label={t("terms.priority")} extra={t("terms.priority_hint")}>
        <InputNumber min={0} max={9999} precision={0} />
      </Form.Item>
      <Form.Item name="valid" label={t("terms.valid")} extra={t("batch.dates_hint")}>
        <Between showTime />
      </Form.Item>
    </FormDrawer>
  );
}

/** Says in numbers what it would do before, and what it did after. */
function Recall({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const t = useWords("vault");
  const say = useSay("vault");
  const { recall, restore } = useBatchActs(batch.id);
  const [fate, setFate] = useState<"locked" | "void">("locked");
  const isBack = batch.recalled_as !== null;
  const send = async ({ reason }: { reason: string }) => {
    if (isBack) say.done(t("batch.restored", { n: (await restore.mutateAsync(reason)).moved }));
    else {
      const done = await recall.mutateAsync({ fate, reason });
      say.done(t("batch.recalled", { moved: done.moved, held: done.held, sold: done.sold }));
    }
    onClose();
  };
  const error = recall.error ?? restore.error;
  return (
    <Modal
      open title={t(isBack ? "batch.restore" : "batch.recall")} onCancel={onClose} okText={t(isBack ? "batch.restore" : "batch.recall")} cancelText={t("cancel")}
      okButtonProps={{ htmlType: "submit", form: "recall-batch", danger: !isBack, loading: recall.isPending || restore.isPending }}
    >
      <div className="stack" style={{ gap: 12 }}>
        <span>{t(isBack ? "batch.restore_text" : "batch.recall_text", { n: batch.loaded })}</span>
        {!isBack && (
          <Radio.Group
            value={fate} onChange={(event) => setFate(event.target.value as "locked" | "void")}
            options={[{ value: "locked", label: t("batch.fate_locked") }, { value: "void", label: t("batch.fate_void") }]}
          />
        )}
        {!isBack && fate === "void" && <Alert type="warning" showIcon title={t("batch.void_warning")} />}
        {error && <ProblemNote error={error} noun="vault" />}
        <Form id="recall-batch" layout="vertical" onFinish={(values: { reason: string }) => void send(values).catch(() => undefined)}>
          <Form.Item name="reason" label={t("reason")} rules={[{ required: true, whitespace: true, message: t("reason.needed") }]}>
            <Input maxLength={200} autoFocus />
          </Form.Item>
        </Form>
      </div>
    </Modal>
  );
}
