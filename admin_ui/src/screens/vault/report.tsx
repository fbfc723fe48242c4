import { Alert, Button, Card, Descriptions, Flex, Statistic, Table } from "antd";
import { Link, useParams } from "react-router";
import { useImport } from "@/api/vault";
import { useWords } from "@/shell/words";
import { Can, CopyId, Moment, Page, ProblemNote, State } from "@/ui";
import { download } from "@/ui/csv";
import { SkuName } from "@/ui/sku";
import { errorFile, useReasons } from "./errors";
import { Resume } from "./imports";

const SHOWN_MAX = 200;

/** What became of a file: counts, and each line that was not loaded. */
export default function ReportPage() {
  const t = useWords("vault");
  const reasons = useReasons();
  const { id = "" } = useParams();
  const { data: report, error, isPending } = useImport(id);
  if (error) return <Page title={t("report.title")} back="/vault/imports"><ProblemNote error={error} noun="vault" /></Page>;
  if (isPending) return <Page title={t("report.title")} back="/vault/imports"><Card loading /></Page>;
  const wrong = report.malformed_count + report.duplicates;
  return (
    <Page
      title={report.filename || t("import.unnamed")} back="/vault/imports"
      extra={<State kind="import" value={report.state} noun="vault" tone={report.state === "loaded" ? "good" : report.state === "failed" ? "bad" : "busy"} />}
      actions={
        <>
          {wrong > 0 && <Button onClick={() => download(`${report.filename || "import"}-errors.csv`, errorFile(report.errors, t, reasons))}>{t("report.file")}</Button>}
          <Link to={`/vault/units?sku_id=${report.sku_id}&batch_id=${report.id}`}><Button tabIndex={-1}>{t("upload.units")}</Button></Link>
        </>
      }
    >
      <div className="stack">
        {report.state !== "loaded" && (
          <Alert
            type={report.state === "failed" ? "error" : "warning"} showIcon title={t(`report.${report.state}`)} description={report.failure ?? t("report.resume_text")}
            action={<Can permission="vault:write"><Resume report={report} /></Can>}
          />
        )}
        <Card size="small">
          <Flex gap="12px 40px" wrap>
            <Statistic title={t("report.loaded")} value={report.loaded} />
            <Statistic title={t("preview.malformed")} value={report.malformed_count} />
            <Statistic title={t("report.in_file")} value={report.duplicates_in_file} />
            <Statistic title={t("report.in_vault")} value={report.duplicates_in_vault} />
            <Statistic title={t("preview.blank")} value={report.blank} />
            <Statistic title={t("preview.lines")} value={report.lines} />
          </Flex>
        </Card>
        <Card size="small" title={t("report.about")}>
          <Descriptions
            size="small" column={{ xs: 1, md: 2 }}
            items={[
              { key: "sku", label: t("column.sku"), children: <SkuName id={report.sku_id} /> },
              { key: "batch", label: t("column.batch"), children: <CopyId id={report.id} /> },
              { key: "by", label: t("column.operator"), children: <CopyId id={report.operator} /> },
              { key: "when", label: t("column.when"), children: <Moment at={report.created_at} /> },
              { key: "source", label: t("column.source"), children: report.source || "–" },
              { key: "note", label: t("column.note"), children: report.note || "–" },
            ]}
          />
        </Card>
        {report.errors.length > 0 && (
          <Card size="small" title={t("report.lines", { n: wrong })}>
            <Table
              size="small" rowKey="line" dataSource={report.errors.slice(0, SHOWN_MAX)} pagination={false} scroll={{ y: 420 }}
              columns={[
                { title: t("errors.line"), dataIndex: "line", width: 90 },
                { title: t("errors.why"), render: (_, each) => reasons(each.reason) },
              ]}
            />
            {wrong > SHOWN_MAX && <p className="muted">{t("report.more", { n: SHOWN_MAX })}</p>}
          </Card>
        )}
      </div>
    </Page>
  );
}
