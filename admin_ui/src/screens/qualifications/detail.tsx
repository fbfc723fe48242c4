import { DeleteOutlined, FileProtectOutlined, UploadOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Descriptions, Upload } from "antd";
import { useState } from "react";
import { useParams } from "react-router";
import { raw } from "@/api/client";
import { useAddDocument, useCorrectQualification, useDeleteDocument, useQualification, useSubmitQualification, useWithdrawQualification, type Qualification } from "@/api/qualifications";
import { useWords } from "@/shell/words";
import { FormDrawer, Moment, Page, ProblemNote, State, useConfirm, useSay } from "@/ui";
import { save } from "@/ui/save_file";
import { EDITABLE, OPEN, showsOf } from "./kinds";
import { Particulars } from "./list";

export default function QualificationDetail() {
  const { id = "" } = useParams();
  const t = useWords("qualifications");
  const one = useQualification(id);
  if (one.isError) return <Page title={t("title")} back="/settings/qualifications"><ProblemNote error={one.error} /></Page>;
  if (one.data === undefined) return <Page title={t("title")} back="/settings/qualifications"><Card loading /></Page>;
  return <Shown one={one.data} />;
}

function Shown({ one }: { one: Qualification }) {
  const t = useWords("qualifications");
  const say = useSay("qualifications");
  const confirm = useConfirm("qualifications");
  const submit = useSubmitQualification();
  const withdraw = useWithdrawQualification();
  const correct = useCorrectQualification();
  const [editing, setEditing] = useState(false);
  const canEdit = EDITABLE.includes(one.state);
  const missing = showsOf(one.kind).filter((shows) => !one.documents.some((document) => document.shows === shows));
  const hand = () => void submit.mutateAsync(one.id).then(() => say.done(t("submit.done")), say.problem);
  const back = () => confirm({ title: t("withdraw.title"), text: t("withdraw.text", { n: one.documents.length }), ok: t("withdraw"), danger: true, act: () => withdraw.mutateAsync(one.id) });
  return (
    <Page
      title={t(`kind.${one.kind}`)} back="/settings/qualifications" extra={<State kind="qualification" value={one.state} noun="qualifications" />}
      primary={canEdit && <Button type="primary" disabled={missing.length > 0} loading={submit.isPending} onClick={hand}>{t("submit")}</Button>}
      actions={OPEN.includes(one.state) && <Button danger onClick={back}>{t("withdraw")}</Button>}
    >
      <div className="stack">
        {one.reasons.length > 0 && <Alert type={one.state === "approved" ? "info" : "warning"} showIcon title={t("reasons")} description={<ul style={{ margin: 0, paddingInlineStart: 18 }}>{one.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>} />}
        {canEdit && missing.length > 0 && <Alert type="info" showIcon title={t("missing", { what: missing.map((shows) => t(`shows.${shows}`)).join(" · ") })} />}
        <Card title={t("particulars")} extra={canEdit && <Button size="small" onClick={() => setEditing(true)}>{t("edit")}</Button>}>
          <Descriptions
            column={{ xs: 1, md: 2 }}
            items={[
              { key: "name", label: t("legal_name"), children: one.legal_name },
              { key: "number", label: t("number"), children: one.registration_number },
              { key: "submitted", label: t("submitted"), children: <Moment at={one.submitted_at} none="–" /> },
              { key: "decided", label: t("decided"), children: <Moment at={one.decided_at} none="–" /> },
            ]}
          />
        </Card>
        <Card title={t("documents")}>
          <p className="muted" style={{ marginTop: 0 }}>{t("documents.about")}</p>
          <div className="stack">{[...showsOf(one.kind), "other"].map((shows) => <Documents key={shows} one={one} shows={shows} canEdit={canEdit} />)}</div>
        </Card>
      </div>
      <FormDrawer open={editing} onClose={() => setEditing(false)} onSubmit={(wish: { legal_name: string; registration_number: string }) => correct.mutateAsync({ id: one.id, ...wish })} title={t("particulars")} ok={t("save")} noun="qualifications" initial={{ legal_name: one.legal_name, registration_number: one.registration_number }}>
        <Particulars />
      </FormDrawer>
    </Page>
  );
}

const ENDINGS: Record<string, string> = { "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg" };

function Documents({ one, shows, canEdit }: { one: Qualification; shows: string; canEdit: boolean }) {
  const t = useWords("qualifications");
  const say = useSay("qualifications");
  const add = useAddDocument();
  const remove = useDeleteDocument();
  const mine = one.documents.filter((document) => document.shows === shows);
  const open = (id: string, type: string) =>
    void raw("GET", `/v1/qualifications/${one.id}/documents/${id}`).then(async (answer) => save(await answer.blob(), `${shows}.${ENDINGS[type] ?? "bin"}`), say.problem);
  return (
    <div className="row" style={{ justifyContent: "space-between" }}>
      <div>
        <div style={{ fontWeight: 500 }}>{t(`shows.${shows}`)}</div>
        {mine.length === 0 && <span className="muted">{t("documents.none")}</span>}
        {mine.map((document) => (
          <div key={document.id} className="row">
            <Button type="link" size="small" icon={<FileProtectOutlined />} style={{ padding: 0 }} onClick={() => open(document.id, document.media_type)}>
              {t("documents.size", { n: Math.ceil(document.size_bytes / 1024) })}
            </Button>
            <Moment at={document.created_at} />
            {canEdit && <Button type="text" size="small" danger icon={<DeleteOutlined />} aria-label={t("delete")} onClick={() => void remove.mutateAsync({ id: one.id, document: document.id }).catch(say.problem)} />}
          </div>
        ))}
      </div>
      {canEdit && (
        <Upload
          accept="application/pdf,image/png,image/jpeg" showUploadList={false}
          beforeUpload={(file) => {
            void add.mutateAsync({ id: one.id, shows, file }).then(() => say.done(t("documents.added")), say.problem);
            return false;
          }}
        >
          <Button icon={<UploadOutlined />} loading={add.isPending}>{t("documents.add")}</Button>
        </Upload>
      )}
    </div>
  );
}
