import { KeyOutlined } from "@ant-design/icons";
import { Button, Checkbox, Form, Progress } from "antd";
import { useState } from "react";
import { rotationPages, useRotateKeys, type Rotation } from "@/api/vault";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Empty, FormDrawer, ListTable, Moment, Page, State, type Column } from "@/ui";
import { VaultTabs } from "./tabs";

/** Newer keys for what is sealed, and how far the sealing anew is. */
export default function KeysPage() {
  const t = useWords("vault");
  const may = useMay();
  const rotate = useRotateKeys();
  const [asking, setAsking] = useState(false);
  const columns: Column<Rotation>[] = [
    { key: "what", title: t("keys.what"), render: (each) => each.purposes.map((purpose) => t(`keys.${purpose}`)).join(" · "), width: 220 },
    { key: "state", title: t("column.state"), phone: "head", render: (each) => <State kind="job" value={each.state} noun="vault" tone={each.state === "done" ? "good" : "busy"} /> },
    { key: "far", title: t("keys.far"), render: (each) => <Progress percent={each.state === "done" ? 100 : each.codes ? Math.min(99, Math.floor((100 * each.codes_renewed) / each.codes)) : 0} size="small" style={{ width: 160 }} aria-label={t("keys.far")} /> },
    { key: "codes", title: t("keys.codes"), align: "right", render: (each) => <span className="number">{each.codes_renewed} / {each.codes}</span> },
    { key: "others", title: t("keys.others"), optional: true, align: "right", render: (each) => <span className="number">{each.others_renewed}</span> },
    { key: "by", title: t("column.operator"), render: (each) => <CopyId id={each.asked_by} /> },
    { key: "when", title: t("column.when"), render: (each) => <Moment at={each.created_at} /> },
    { key: "end", title: t("keys.end"), render: (each) => <Moment at={each.finished_at} none="–" /> },
  ];
  return (
    <Page title={t("title")} about={t("about")} primary={may("keys:write") && <Button type="primary" icon={<KeyOutlined />} onClick={() => setAsking(true)}>{t("keys.rotate")}</Button>}>
      <VaultTabs />
      <ListTable
        id="vault-keys" columns={columns} pages={rotationPages()} rowKey={(each) => each.id} refresh={5_000}
        empty={<Empty picture={<KeyOutlined />} title={t("empty.keys")} text={t("empty.keys_text")} />}
      />
      {asking && (
        <FormDrawer<{ purposes: ("seal" | "fingerprint")[] }>
          open title={t("keys.rotate")} ok={t("keys.rotate")} noun="vault" onClose={() => setAsking(false)} initial={{ purposes: ["seal"] }}
          onSubmit={({ purposes }) => rotate.mutateAsync(purposes)}
        >
          <p>{t("keys.text")}</p>
          <Form.Item name="purposes" label={t("keys.what")} rules={[{ required: true, message: t("keys.needed") }]}>
            <Checkbox.Group options={(["seal", "fingerprint"] as const).map((value) => ({ value, label: t(`keys.${value}`) }))} />
          </Form.Item>
        </FormDrawer>
      )}
    </Page>
  );
}
