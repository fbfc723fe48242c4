import { Descriptions, Form, Input, Modal } from "antd";
import { useFindCode } from "@/api/units";
import { useWords } from "@/shell/words";
import { CopyId, Moment, ProblemNote, State } from "@/ui";
import { SkuName } from "@/ui/sku";

/** Where a code is that somebody shows in full. It goes in a body and stays nowhere here; each look is on record. */
export function FindCode({ onClose, onFound }: { onClose: () => void; onFound: (unit: number, sku: string) => void }) {
  const t = useWords("vault");
  const find = useFindCode();
  const close = () => {
    find.reset();
    onClose();
  };
  const found = find.data;
  return (
    <Modal
      open title={t("find.title")} onCancel={close} cancelText={t("close")} destroyOnHidden
      {...(found
        ? { okText: t("find.open"), onOk: () => onFound(found.unit, found.sku_id) }
        : { okText: t("find.look"), okButtonProps: { htmlType: "submit" as const, form: "find-code", loading: find.isPending } })}
    >
      <p className="muted">{t("find.text")}</p>
      <Form id="find-code" layout="vertical" onFinish={({ code }: { code: string }) => find.mutate(code.trim())}>
        <Form.Item name="code" label={t("find.code")} rules={[{ required: true, whitespace: true, message: t("find.needed") }]}>
          <Input autoFocus autoComplete="off" spellCheck={false} maxLength={512} />
        </Form.Item>
      </Form>
      {find.error && <ProblemNote error={find.error} noun="vault" />}
      {found && (
        <Descriptions
          size="small" column={1} bordered
          items={[
            { key: "unit", label: t("column.unit"), children: <>{found.unit} <State kind="unit" value={found.state} noun="vault" /></> },
            { key: "sku", label: t("column.sku"), children: <SkuName id={found.sku_id} /> },
            { key: "batch", label: t("find.line"), children: <>{<CopyId id={found.import_id} />} {t("find.line_no", { n: found.line })}</> },
            ...(found.order_id ? [{ key: "order", label: t("column.order"), children: <CopyId id={found.order_id} /> }] : []),
            ...(found.delivered_at ? [{ key: "delivered", label: t("find.delivered"), children: <Moment at={found.delivered_at} exact /> }] : []),
            ...(found.revealed_at ? [{ key: "revealed", label: t("find.revealed"), children: <Moment at={found.revealed_at} exact /> }] : []),
          ]}
        />
      )}
    </Modal>
  );
}
