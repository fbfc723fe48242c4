import { Button, Card, Flex } from "antd";
import { Link } from "react-router";
import { askImport } from "@/api/vault";
import { useWords } from "@/shell/words";
import { download } from "@/ui/csv";
import { Job } from "@/ui/job";
import { ProblemNote } from "@/ui/problem";
import { useSay } from "@/ui/say";
import { SkuName } from "@/ui/sku";
import { errorFile, useReasons } from "./errors";
import { dismissUpload, retryUpload, type Upload } from "./uploads";

interface Props {
  upload: Upload;
  onReport?: (id: string) => void;
}

/** A file on its way: how far, how fast, and what came of it. */
export function UploadView({ upload, onReport }: Props) {
  const t = useWords("vault");
  const say = useSay("vault");
  const reasons = useReasons();
  const { report } = upload;
  const wrong = report ? report.malformed_count + report.duplicates : 0;
  const save = () => {
    if (!report) return;
    // The list that came with the answer is whole up to 10,000 lines; the counts have no end.
    void askImport(report.id)
      .then((full) => download(`${report.filename || "import"}-errors.csv`, errorFile(full.errors, t, reasons)))
      .catch(say.problem);
  };
  return (
    <Card
      size="small" title={<span>{upload.filename} → <SkuName id={upload.skuId} /></span>}
      extra={upload.state !== "running" && <Button size="small" type="text" onClick={() => dismissUpload(upload.key)}>{t("upload.dismiss")}</Button>}
    >
      <Job
        state={upload.state} done={upload.done} total={upload.total} startedAt={upload.startedAt}
        {...(report
          ? {
              result: (
                <Flex vertical gap={4}>
                  <strong>{t("upload.loaded", { n: report.loaded })}</strong>
                  <span className="muted">
                    {t("upload.left_out", { malformed: report.malformed_count, file: report.duplicates_in_file, vault: report.duplicates_in_vault })}
                  </span>
                </Flex>
              ),
              errors: { count: wrong, onDownload: save },
            }
          : {})}
      />
      {upload.state === "running" && <p className="muted" style={{ marginBottom: 0 }}>{t("upload.leave")}</p>}
      {upload.problem && (
        <div className="stack" style={{ gap: 8, marginTop: 8 }}>
          <ProblemNote error={upload.problem} noun="vault" />
          <Button onClick={() => retryUpload(upload.key)}>{t("upload.retry")}</Button>
        </div>
      )}
      {report && (
        <Flex gap={8} style={{ marginTop: 12 }} wrap>
          {onReport && <Button onClick={() => onReport(report.id)}>{t("upload.report")}</Button>}
          <Link to={`/vault/units?sku_id=${upload.skuId}&batch_id=${report.id}`}>
            <Button tabIndex={-1}>{t("upload.units")}</Button>
          </Link>
        </Flex>
      )}
    </Card>
  );
}
