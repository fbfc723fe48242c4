import { InboxOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Flex, Form, Input, InputNumber, Segmented, Steps, Upload } from "antd";
import type { Dayjs } from "dayjs";
import dayjs from "dayjs";
import { useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { previewCodes, type Origin, type Preview, type Wishes } from "@/api/vault";
import { useSkuNamed } from "@/api/skus";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Between } from "@/ui/between";
import { amountText, parseAmount } from "@/screens/skus/amount";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkuPicker } from "@/ui/sku";
import { PreviewView } from "./preview";
import { startUpload, useUploads } from "./uploads";
import { UploadView } from "./upload_view";

interface Terms {
  source?: string;
  note?: string;
  cost?: string;
  priority?: number;
  valid?: [Dayjs | null, Dayjs | null];
}

/** A file of codes, or what was pasted: shown first, then what holds for all of it, then loaded. */
export default function Wizard() {
  const t = useWords("vault");
  const { store } = useSession();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const skuId = params.get("sku_id") ?? undefined;
  const running = useUploads().find((each) => each.key === params.get("upload"));
  const sku = useSkuNamed(skuId).data;
  const [by, setBy] = useState<"file" | "paste">("file");
  const [text, setText] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [wishes, setWishes] = useState<Wishes>({});
  const [preview, setPreview] = useState<Preview | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [form] = Form.useForm<Terms>();

  useEffect(() => {
    if (!file || !skuId) return;
    let here = true;
    setBusy(true);
    setProblem(null);
    previewCodes(file, skuId, wishes)
      .then((found) => here && setPreview(found))
      .catch((error: unknown) => here && (setPreview(null), setProblem(error)))
      .finally(() => here && setBusy(false));
    return () => {
      here = false;
    };
  }, [file, skuId, wishes]);

  const take = (chosen: File) => {
    setPreview(null);
    setWishes({});
    setFile(chosen);
  };
  const begin = (terms: Terms) => {
    if (!file || !skuId || !preview) return;
    const cost = terms.cost?.trim() ? parseAmount(terms.cost, store.currency) : null;
    const zoned = (at: Dayjs | null | undefined, end: boolean) =>
      at ? dayjs.tz(`${at.format("YYYY-MM-DD")}T${end ? "23:59:59" : "00:00:00"}`, store.zone).toISOString() : undefined;
    const origin: Origin = {
      source: terms.source?.trim() || undefined, note: terms.note?.trim() || undefined, priority: terms.priority ?? undefined,
      cost_minor: cost && "minor" in cost ? cost.minor : undefined, valid_from: zoned(terms.valid?.[0], false), valid_until: zoned(terms.valid?.[1], true),
    };
    const key = startUpload({ file, skuId, total: preview.lines, origin, wishes });
    setFile(null);
    setText("");
    setPreview(null);
    setParams({ sku_id: skuId, upload: key }, { replace: true });
  };
  const step = running ? 2 : preview ? 1 : 0;
  const canPaste = new Blob([text]).size;
  return (
    <Page
      title={t("wizard.title")} back="/vault/imports" about={t("wizard.about")}
      actions={running && <Button onClick={() => setParams(skuId ? { sku_id: skuId } : {}, { replace: true })}>{t("wizard.another")}</Button>}
    >
      <Steps current={step} size="small" style={{ marginBottom: 20 }} items={["choose", "check", "load"].map((each) => ({ title: t(`wizard.${each}`) }))} />
      {running ? (
        <UploadView upload={running} onReport={(id) => void navigate(`/vault/imports/${id}`)} />
      ) : (
        <div className="stack">
          <Card size="small">
            <Form layout="vertical" component="div">
              <Form.Item label={t("wizard.sku")} htmlFor="wizard-sku" required extra={t("wizard.sku_hint")}>
                <SkuPicker
                  id="wizard-sku" value={skuId ?? null} label={t("wizard.sku")} style={{ width: "100%", maxWidth: 520 }}
                  onChange={(id) => setParams(id ? { sku_id: id } : {}, { replace: true })}
                />
              </Form.Item>
            </Form>
            <Segmented<"file" | "paste">
              value={by} onChange={(value) => setBy(value)} style={{ marginBottom: 12 }} aria-label={t("wizard.by")}
              options={[{ value: "file", label: t("wizard.by_file") }, { value: "paste", label: t("wizard.by_paste") }]}
            />
            {!skuId ? null : by === "file" ? (
              <Upload.Dragger
                accept=".txt,.csv,.tsv,.xlsx" maxCount={1} showUploadList={false}
                beforeUpload={(chosen) => {
                  take(chosen as File);
                  return false;
                }}
              >
                <p className="ant-upload-drag-icon">
                  <InboxOutlined />
                </p>
                <p>{file && by === "file" ? file.name : t("wizard.drop")}</p>
                <p className="muted">{t("wizard.kinds")}</p>
              </Upload.Dragger>
            ) : (
              <Flex vertical gap={8}>
                <Input.TextArea
                  rows={8} value={text} onChange={(event) => setText(event.target.value)} placeholder={t("wizard.paste_hint")}
                  aria-label={t("wizard.by_paste")} spellCheck={false} autoComplete="off" style={{ fontFamily: "var(--ant-font-family-code)" }}
                />
                <Button disabled={!skuId || canPaste === 0} onClick={() => take(new File([text], t("wizard.pasted_name"), { type: "text/plain" }))} style={{ alignSelf: "start" }}>
                  {t("wizard.look")}
                </Button>
              </Flex>
            )}
            {!skuId && <Alert type="info" showIcon title={t("wizard.sku_first")} style={{ marginTop: 12 }} />}
          </Card>
          {problem !== null && <ProblemNote error={problem} noun="vault" />}
          {(preview || busy) && <PreviewView preview={preview} busy={busy} wishes={wishes} onWishes={setWishes} />}
          {preview && (
            <Card size="small" title={t("wizard.terms")}>
              <Form<Terms> form={form} layout="vertical" onFinish={begin} initialValues={{ priority: 100 }}>
                <Flex gap="0 16px" wrap>
                  <Form.Item name="source" label={t("terms.source")} extra={t("terms.source_hint")} style={{ flex: "1 1 220px" }}>
                    <Input maxLength={200} />
                  </Form.Item>
                  <Form.Item
                    name="cost" label={t("terms.cost", { currency: store.currency })} extra={t("terms.cost_hint", { example: amountText(70000, store.currency) })}
                    style={{ flex: "1 1 180px" }}
                    rules={[{ validator: (_, value?: string) => (!value?.trim() || "minor" in parseAmount(value, store.currency) ? Promise.resolve() : Promise.reject(new Error(t("terms.cost_wrong")))) }]}
                  >
                    <Input inputMode="decimal" />
                  </Form.Item>
                  <Form.Item name="priority" label={t("terms.priority")} extra={t("terms.priority_hint")} style={{ flex: "1 1 160px" }}>
                    <InputNumber min={0} max={9999} precision={0} style={{ width: "100%" }} />
                  </Form.Item>
                  <Form.Item name="valid" label={t("terms.valid")} extra={t("terms.valid_hint")} style={{ flex: "1 1 260px" }}>
                    <Between />
                  </Form.Item>
                  <Form.Item name="note" label={t("terms.note")} style={{ flex: "1 1 100%" }}>
                    <Input.TextArea maxLength={200} rows={1} />
                  </Form.Item>
                </Flex>
                <Button type="primary" htmlType="submit" disabled={preview.codes === 0}>
                  {t("wizard.begin", { n: preview.codes - preview.duplicates_in_file, sku: sku?.name ?? "" })}
                </Button>
              </Form>
            </Card>
          )}
        </div>
      )}
    </Page>
  );
}
