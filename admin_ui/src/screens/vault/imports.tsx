import { FileTextOutlined, ImportOutlined } from "@ant-design/icons";
import { Button, Progress, Upload as Picker } from "antd";
import { Link, useNavigate } from "react-router";
import { importPages, type Report } from "@/api/vault";
import { useWords } from "@/shell/words";
import { Can, Empty, ListTable, Moment, Page, State, type Column } from "@/ui";
import { SkuName } from "@/ui/sku";
import { VaultTabs } from "./tabs";
import { UploadView } from "./upload_view";
import { startUpload, useUploads } from "./uploads";

/** Those that this console has under way, or has just ended. */
export function UploadList() {
  const uploads = useUploads();
  const navigate = useNavigate();
  return uploads.map((upload) => <UploadView key={upload.key} upload={upload} onReport={(id) => void navigate(`/vault/imports/${id}`)} />);
}

export default function ImportsPage() {
  const t = useWords("vault");
  const navigate = useNavigate();
  const running = useUploads();
  const isHere = (report: Report) => running.some((each) => each.state === "running" && each.importId === report.id);
  const columns: Column<Report>[] = [
    { key: "file", title: t("column.file"), render: (report) => <Link to={`/vault/imports/${report.id}`}>{report.filename || t("import.unnamed")}</Link>, width: 220 },
    { key: "sku", title: t("column.sku"), render: (report) => <SkuName id={report.sku_id} /> },
    { key: "state", title: t("column.state"), render: (report) => <State kind="import" value={report.state} noun="vault" tone={report.state === "loaded" ? "good" : report.state === "failed" ? "bad" : "busy"} />, phone: "head" },
    { key: "loaded", title: t("column.loaded"), align: "right", render: (report) => <span className="number">{report.loaded}</span> },
    { key: "out", title: t("column.left_out"), align: "right", render: (report) => <span className="number">{report.malformed_count + report.duplicates}</span> },
    { key: "source", title: t("column.source"), optional: true, render: (report) => report.source },
    { key: "note", title: t("column.note"), optional: true, render: (report) => report.note },
    { key: "when", title: t("column.when"), render: (report) => <Moment at={report.created_at} /> },
    {
      key: "act", title: "", always: true,
      render: (report) =>
        report.state !== "loaded" && !isHere(report) ? <Can permission="vault:write"><Resume report={report} /></Can> : isHere(report) ? <Progress type="circle" size={20} percent={50} showInfo={false} aria-label={t("import.running")} /> : null,
    },
  ];
  return (
    <Page
      title={t("title")} about={t("about")}
      primary={<Can permission="vault:write"><Button type="primary" icon={<ImportOutlined />} onClick={() => void navigate("/vault/import")}>{t("wizard.title")}</Button></Can>}
    >
      <VaultTabs />
      <div className="stack">
        <UploadList />
        <ListTable
          id="vault-imports" columns={columns} pages={importPages()} rowKey={(report) => report.id} onOpen={(report) => void navigate(`/vault/imports/${report.id}`)}
          empty={<Empty picture={<FileTextOutlined />} title={t("empty.imports")} text={t("empty.imports_text")} action={<Link to="/vault/import"><Button type="primary" tabIndex={-1}>{t("wizard.title")}</Button></Link>} />}
        />
      </div>
    </Page>
  );
}

/** An import that was cut off goes on with the same file. */
export function Resume({ report }: { report: Report }) {
  const t = useWords("vault");
  const navigate = useNavigate();
  return (
    <Picker
      accept=".txt,.csv,.tsv,.xlsx" maxCount={1} showUploadList={false}
      beforeUpload={(file) => {
        const key = startUpload({ file: file as File, skuId: report.sku_id, total: null, importId: report.id });
        void navigate(`/vault/import?sku_id=${report.sku_id}&upload=${key}`);
        return false;
      }}
    >
      <Button size="small">{t("import.resume")}</Button>
    </Picker>
  );
}
