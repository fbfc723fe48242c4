import { Alert, Button, Card, Flex, Select, Statistic, Table } from "antd";
import type { Preview, Wishes } from "@/api/vault";
import { useWords } from "@/shell/words";
import { download } from "@/ui/csv";
import { errorFile, useReasons } from "./errors";

const ENCODINGS = ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "xlsx"];
const DELIMITERS = ["dashes", "tab", "comma", "semicolon", "pipe", "space", "none"];
const ROLES = ["code", "secret", "valid_until", "face_value", "pick", "surcharge_minor", "ignore"];

interface Props {
  preview: Preview | null;
  busy: boolean;
  wishes: Wishes;
  onWishes: (wishes: Wishes) => void;
}

/** How a file is read, its first lines with the codes masked, and what is wrong with it. What was detected can be told instead. */
export function PreviewView({ preview, busy, wishes, onWishes }: Props) {
  const t = useWords("vault");
  const reasons = useReasons();
  if (!preview) return <Card size="small" loading title={t("preview.reading")} />;
  const { layout } = preview;
  const columns = layout.columns as string[];
  const tell = (more: Wishes) => onWishes({ ...wishes, ...more });
  const setRole = (at: number, role: string) => {
    // `code` is there once, the others at most once: who takes a role takes it from the column that had it.
    const next = columns.map((before, n) => (n === at ? role : role !== "ignore" && before === role ? "ignore" : before));
    if (next.includes("code")) tell({ columns: next.join(",") });
  };
  const named = (prefix: string, values: string[]) => values.map((value) => ({ value, label: t(`${prefix}.${value}`) }));
  return (
    <Card size="small" title={t("preview.title")} loading={busy}>
      <Flex gap="12px 40px" wrap style={{ marginBottom: 16 }}>
        <Statistic title={t("preview.lines")} value={preview.lines} />
        <Statistic title={t("preview.codes")} value={preview.codes - preview.duplicates_in_file} />
        <Statistic title={t("preview.duplicates")} value={preview.duplicates_in_file} />
        <Statistic title={t("preview.malformed")} value={preview.malformed} />
        <Statistic title={t("preview.blank")} value={preview.blank} />
      </Flex>
      <Flex gap={12} wrap style={{ marginBottom: 12 }}>
        {layout.encoding !== "xlsx" && (
          <>
            <label>
              <span className="muted">{t("preview.encoding")} </span>
              <Select size="small" value={layout.encoding} options={named("encoding", ENCODINGS.slice(0, 4))} onChange={(encoding) => tell({ encoding })} style={{ width: 130 }} />
            </label>
            <label>
              <span className="muted">{t("preview.delimiter")} </span>
              <Select size="small" value={layout.delimiter} options={named("delimiter", DELIMITERS)} onChange={(delimiter) => onWishes({ ...wishes, delimiter, columns: undefined })} style={{ width: 150 }} />
            </label>
          </>
        )}
        <label>
          <span className="muted">{t("preview.header")} </span>
          <Select size="small" value={String(layout.header)} options={[{ value: "true", label: t("preview.header_yes") }, { value: "false", label: t("preview.header_no") }]} onChange={(header) => onWishes({ ...wishes, header, columns: undefined })} style={{ width: 130 }} />
        </label>
      </Flex>
      <Flex gap={12} wrap style={{ marginBottom: 12 }}>
        {columns.map((role, at) => (
          <label key={at}>
            <span className="muted">{layout.names?.[at] ?? t("preview.column", { n: at + 1 })} </span>
            <Select size="small" value={role} options={named("role", ROLES)} onChange={(next) => setRole(at, next)} style={{ width: 130 }} aria-label={t("preview.role_of", { n: at + 1 })} />
          </label>
        ))}
      </Flex>
      <Table
        size="small" pagination={false} rowKey="line" dataSource={preview.sample} scroll={{ x: "max-content" }}
        columns={[
          { title: t("preview.line"), dataIndex: "line", width: 70 },
          { title: t("role.code"), dataIndex: "code", className: "copy-id" },
          ...(["secret", "valid_until", "face_value", "label"] as const)
            .filter((key) => preview.sample.some((row) => row[key] != null))
            .map((key) => ({ title: t(`role.${key}`), dataIndex: key })),
        ]}
      />
      <p className="muted">{t("preview.masked")}</p>
      {preview.malformed > 0 && (
        <Alert
          type="warning" showIcon title={t("preview.wrong", { n: preview.malformed })}
          description={
            <>
              <ul style={{ margin: "4px 0 8px", paddingInlineStart: 18 }}>
                {preview.errors.slice(0, 5).map((each) => (
                  <li key={each.line}>{t("preview.wrong_line", { line: each.line, why: reasons(each.reason) })}</li>
                ))}
              </ul>
              <Button size="small" onClick={() => download("errors.csv", errorFile(preview.errors, t, reasons))}>
                {t("preview.wrong_file")}
              </Button>
            </>
          }
        />
      )}
    </Card>
  );
}
