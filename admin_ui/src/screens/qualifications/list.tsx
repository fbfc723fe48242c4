import { PlusOutlined, SafetyCertificateOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Select } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { qualificationPages, useCapabilities, useCreateQualification, type Qualification } from "@/api/qualifications";
import { useWords } from "@/shell/words";
import { Empty, FormDrawer, ListTable, Moment, State, type Column } from "@/ui";
import { SettingsPage } from "../settings/parts";
import { KINDS, type Kind } from "./kinds";

export default function Qualifications() {
  const t = useWords("qualifications");
  const navigate = useNavigate();
  const may = useCapabilities();
  const create = useCreateQualification();
  const [making, setMaking] = useState(false);
  const primary = <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>{t("new")}</Button>;
  const columns: Column<Qualification>[] = [
    { key: "kind", title: t("kind"), render: (one) => t(`kind.${one.kind}`) },
    { key: "state", title: t("state"), phone: "head", render: (one) => <State kind="qualification" value={one.state} noun="qualifications" {...(one.state === "more_wanted" ? { tone: "warn" as const } : {})} /> },
    { key: "name", title: t("legal_name"), render: (one) => one.legal_name },
    { key: "submitted", title: t("submitted"), render: (one) => <Moment at={one.submitted_at} none="–" /> },
    { key: "valid", title: t("valid"), render: (one) => <Moment at={one.valid_until} none={one.state === "approved" ? t("valid.always") : "–"} /> },
  ];
  const send = async (wish: { kind: Kind; legal_name: string; registration_number: string }) => {
    const made = await create.mutateAsync(wish);
    void navigate(`/settings/qualifications/${made.id}`);
  };
  return (
    <SettingsPage primary={primary}>
      <div className="stack">
        {may.data !== undefined && <Alert type={may.data.live_providers ? "success" : "info"} showIcon title={t(may.data.live_providers ? "may.live" : "may.not_live")} description={may.data.live ? t("may.units", { n: may.data.sale_units_max }) : undefined} />}
        <ListTable
          id="qualifications" columns={columns} pages={qualificationPages} rowKey={(one) => one.id} onOpen={(one) => void navigate(`/settings/qualifications/${one.id}`)}
          empty={<Empty picture={<SafetyCertificateOutlined />} title={t("empty")} text={t("empty_text")} action={primary} />}
        />
      </div>
      <FormDrawer open={making} onClose={() => setMaking(false)} onSubmit={send} title={t("new")} ok={t("create")} noun="qualifications">
        <Form.Item name="kind" label={t("kind")} rules={[{ required: true, message: t("kind") }]}>
          <Select options={Object.keys(KINDS).map((value) => ({ value, label: t(`kind.${value}`) }))} />
        </Form.Item>
        <Particulars />
      </FormDrawer>
    </SettingsPage>
  );
}

export function Particulars() {
  const t = useWords("qualifications");
  return (
    <>
      <Form.Item name="legal_name" label={t("legal_name")} extra={t("legal_name.about")} rules={[{ required: true, whitespace: true, message: t("legal_name") }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="registration_number" label={t("number")} rules={[{ required: true, whitespace: true, message: t("number") }]}>
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
    </>
  );
}
