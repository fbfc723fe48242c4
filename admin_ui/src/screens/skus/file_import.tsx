import { InboxOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Flex, Statistic, Table, Upload } from "antd";
import { useState, type ReactNode } from "react";
import { Problem } from "@/api/problem";
import { useWords } from "@/shell/words";
import { Job, ProblemNote } from "@/ui";
import { csvOf, download } from "@/ui/csv";

interface LineProblem {
  line: number;
  field: string;
  why: string;
}

interface Report {
  lines: number;
  problems?: LineProblem[];
  wrong?: number;
}

interface Props<R extends Report> {
  /** What the file would do; nothing for files that are only loaded. */
  look?: (file: File) => Promise<R>;
  load: (file: File) => Promise<R>;
  /** What a report says, as figures. */
  figures: (report: R) => [string, number][];
  help: ReactNode;
}

/** A file that is saved as a whole or not at all: looked at first, its problems told by line, then loaded. */
export function FileImport<R extends Report>({ look, load, figures, help }: Props<R>) {
  const t = useWords("skus");
  const [file, setFile] = useState<File | null>(null);
  const [seen, setSeen] = useState<R | null>(null);
  const [done, setDone] = useState<R | null>(null);
  const [step, setStep] = useState<"looking" | "loading" | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const refused = problem === null ? [] : ((Problem.from(problem).extra["problems"] as LineProblem[] | undefined) ?? []);
  const wrong = seen?.problems?.length ? seen.problems : refused;
  const count = seen?.wrong ?? (problem === null ? 0 : Number(Problem.from(problem).extra["wrong"] ?? refused.length));

  const take = async (chosen: File) => {
    setFile(chosen);
    setSeen(null);
    setDone(null);
    setProblem(null);
    if (!look) return;
    setStep("looking");
    await look(chosen).then(setSeen).catch(setProblem);
    setStep(null);
  };
  const send = async () => {
    if (!file) return;
    setStep("loading");
    setProblem(null);
    await load(file).then((report) => (setDone(report), setSeen(null))).catch(setProblem);
    setStep(null);
  };
  const errorFile = () =>
    download(`${file?.name ?? "import"}-errors.csv`, csvOf([[t("files.line"), t("files.field"), t("files.why")], ...wrong.map((each) => [each.line, each.field, each.why])]));
  const isFine = file !== null && done === null && wrong.length === 0 && step === null && (look ? seen !== null : true);
  return (
    <div className="stack">
      <Card size="small">
        <Upload.Dragger accept=".csv,.xlsx,.txt" maxCount={1} showUploadList={false} beforeUpload={(chosen) => (void take(chosen as File), false)}>
          <p className="ant-upload-drag-icon"><InboxOutlined /></p>
          <p>{file?.name ?? t("files.drop")}</p>
          <p className="muted">{t("files.kinds")}</p>
        </Upload.Dragger>
        {help}
      </Card>
      {step && <Card size="small"><Job state="running" done={0} total={null} result={<span className="muted">{t(`files.${step}`, { name: file?.name ?? "" })}</span>} /></Card>}
      {problem !== null && refused.length === 0 && <ProblemNote error={problem} noun="skus" />}
      {wrong.length > 0 && (
        <Card size="small">
          <Alert type="error" showIcon title={t("files.refused", { n: count })} action={<Button size="small" onClick={errorFile}>{t("files.errors")}</Button>} style={{ marginBottom: 12 }} />
          <Table<LineProblem>
            size="small" rowKey={(each) => `${each.line}:${each.field}:${each.why}`} dataSource={wrong} pagination={false} scroll={{ y: 360 }}
            columns={[{ title: t("files.line"), dataIndex: "line", width: 80 }, { title: t("files.field"), dataIndex: "field", width: 150 }, { title: t("files.why"), dataIndex: "why" }]}
          />
        </Card>
      )}
      {(seen ?? done) && wrong.length === 0 && (
        <Card size="small" title={t(done ? "files.done" : "files.would", { n: (done ?? seen)!.lines })}>
          <Flex gap="12px 40px" wrap>
            {figures((done ?? seen)!).map(([title, value]) => <Statistic key={title} title={title} value={value} />)}
          </Flex>
        </Card>
      )}
      {isFine && <Button type="primary" onClick={() => void send()} style={{ alignSelf: "start" }}>{t("files.load")}</Button>}
    </div>
  );
}
