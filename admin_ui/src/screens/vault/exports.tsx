import { ExportOutlined } from "@ant-design/icons";
import { Alert, Button, Flex, Form, Input, InputNumber, Segmented } from "antd";
import { useState } from "react";
import { exportPages, useDecideExport, useDownloadExport, useRequestExport, type CodeExport } from "@/api/vault";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Empty, FormDrawer, ListTable, Moment, Page, State, useConfirm, useSay, type Column, type Tone } from "@/ui";
import { download } from "@/ui/csv";
import { SkuName, SkuPicker } from "@/ui/sku";
import { VaultTabs } from "./tabs";

const TONES: Record<string, Tone> = { requested: "warn", approved: "good", refused: "bad", downloaded: "plain", expired: "plain" };

/** Many codes as a file, with the consent of a second person. Who is waited for is said in the row. */
export default function ExportsPage() {
  const t = useWords("vault");
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const columns: Column<CodeExport>[] = [
    { key: "of", title: t("export.of"), render: (each) => <span>{t(`export.kind.${each.kind}`)} {each.kind === "stock" ? <SkuName id={each.of} /> : <CopyId id={each.of} />}</span>, width: 240 },
    { key: "state", title: t("column.state"), phone: "head", render: (each) => <State kind="export" value={each.state} noun="vault" tone={TONES[each.state] ?? "plain"} /> },
    { key: "units", title: t("export.units"), align: "right", render: (each) => <span className="number">{each.exported ?? each.units}</span> },
    { key: "reason", title: t("reason"), render: (each) => each.reason },
    { key: "asked", title: t("export.asked_by"), render: (each) => <Who id={each.asked_by} /> },
    { key: "decided", title: t("export.decided_by"), render: (each) => (each.decided_by ? <Who id={each.decided_by} /> : each.state === "requested" ? <span className="muted">{t("export.second")}</span> : "–") },
    { key: "ends", title: t("export.expires"), render: (each) => (each.state === "requested" || each.state === "approved" ? <Moment at={each.expires_at} /> : "–") },
    { key: "when", title: t("column.when"), optional: true, render: (each) => <Moment at={each.created_at} /> },
    { key: "act", title: "", always: true, align: "right", render: (each) => <Acts each={each} /> },
  ];
  return (
    <Page title={t("title")} about={t("about")} primary={may("codes:export") && <Button type="primary" icon={<ExportOutlined />} onClick={() => setAsking(true)}>{t("export.ask")}</Button>}>
      <VaultTabs />
      <ListTable
        id="vault-exports" columns={columns} pages={exportPages()} rowKey={(each) => each.id} refresh={15_000}
        empty={<Empty picture={<ExportOutlined />} title={t("empty.exports")} text={t("empty.exports_text")} />}
      />
      {asking && <Ask onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Who({ id }: { id: string }) {
  const t = useWords("vault");
  const { who } = useSession();
  return id === who.id ? <>{t("export.you")}</> : <CopyId id={id} />;
}

function Acts({ each }: { each: CodeExport }) {
  const t = useWords("vault");
  const { who } = useSession();
  const confirm = useConfirm("vault");
  const say = useSay("vault");
  const decide = useDecideExport();
  const take = useDownloadExport();
  const isMine = each.asked_by === who.id;
  if (each.state === "requested") {
    return (
      <Flex gap={4} justify="end">
        {!isMine && (
          <Button
            size="small" type="primary"
            onClick={() => confirm({ title: t("export.approve"), text: t("export.approve_text", { n: each.units }), ok: t("export.approve"), act: () => decide.mutateAsync({ id: each.id, consent: true }) })}
          >
            {t("export.approve")}
          </Button>
        )}
        <Button size="small" loading={decide.isPending} onClick={() => decide.mutate({ id: each.id, consent: false }, { onError: say.problem })}>
          {t(isMine ? "export.take_back" : "export.refuse")}
        </Button>
      </Flex>
    );
  }
  if (each.state === "approved" && isMine) {
    return (
      <Button
        size="small" type="primary"
        onClick={() =>
          confirm({
            title: t("export.download"), text: t("export.download_text", { n: each.units }), ok: t("export.download"), danger: true,
            act: async () => download(`${each.id}.csv`, await take.mutateAsync(each.id)),
          })
        }
      >
        {t("export.download")}
      </Button>
    );
  }
  return null;
}

interface AskForm {
  sku_id?: string;
  import_id?: string;
  order_id?: string;
  units?: number;
  reason: string;
}

function Ask({ onClose }: { onClose: () => void }) {
  const t = useWords("vault");
  const request = useRequestExport();
  const [kind, setKind] = useState<"stock" | "batch" | "order">("stock");
  return (
    <FormDrawer<AskForm>
      open title={t("export.ask")} ok={t("export.send")} noun="vault" onClose={onClose}
      onSubmit={({ reason, units, ...of }) => {
        const named = kind === "stock" ? { sku_id: of.sku_id } : kind === "batch" ? { import_id: of.import_id?.trim() } : { order_id: of.order_id?.trim() };
        return request.mutateAsync({ reason, ...named, ...(units ? { units } : {}) });
      }}
    >
      <Alert type="info" showIcon title={t("export.about")} style={{ marginBottom: 16 }} />
      <Form.Item label={t("export.of")}>
        <Segmented value={kind} onChange={setKind} options={(["stock", "batch", "order"] as const).map((value) => ({ value, label: t(`export.kind.${value}`) }))} />
      </Form.Item>
      {kind === "stock" && <Form.Item name="sku_id" label={t("column.sku")} rules={[{ required: true, message: t("wizard.sku_first") }]}><SkuPicker /></Form.Item>}
      {kind === "batch" && <Form.Item name="import_id" label={t("column.batch")} rules={[{ required: true, message: t("export.id_needed") }]}><Input placeholder="bat_…" /></Form.Item>}
      {kind === "order" && <Form.Item name="order_id" label={t("column.order")} rules={[{ required: true, message: t("export.id_needed") }]}><Input placeholder="ord_…" /></Form.Item>}
      <Form.Item name="units" label={t("export.most")} extra={t("export.most_hint")}><InputNumber min={1} max={20_000} precision={0} style={{ width: 160 }} /></Form.Item>
      <Form.Item name="reason" label={t("reason")} rules={[{ required: true, whitespace: true, message: t("reason.needed") }]}><Input maxLength={200} /></Form.Item>
    </FormDrawer>
  );
}
