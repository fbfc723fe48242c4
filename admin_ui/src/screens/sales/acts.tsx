import { PauseOutlined, PlayCircleOutlined, PlusOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Form, InputNumber } from "antd";
import { useState } from "react";
import { lookOf, useAddStock, useSkuStock, useTurnSale, type Sale } from "@/api/sales";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, FormDrawer, useConfirm, useSay } from "@/ui";

/** Pause, resume, add stock, end: each says in numbers what will happen, and asks once. */
export function Acts({ sale, waiting }: { sale: Sale; waiting: number }) {
  const t = useWords("sales");
  const confirm = useConfirm("sales");
  const say = useSay("sales");
  const turn = useTurnSale();
  const [isAdding, setAdding] = useState(false);
  if (lookOf(sale) === "ended" && sale.state === "ended") return null;
  const left = sale.allotted - sale.committed;
  const numbers = { left: left.toLocaleString(), waiting: waiting.toLocaleString(), sold: (sale.committed - waiting).toLocaleString() };
  const ask = (act: "pause" | "resume" | "end") =>
    confirm({
      title: t(`${act}.title`, { name: sale.name }), text: t(`${act}.text`, numbers), ok: t(act), danger: act === "end",
      act: async () => {
        await turn.mutateAsync({ id: sale.id, act });
        say.done(t(`${act}.done`));
      },
    });
  return (
    <Can permission="sales:write">
      {sale.state === "paused" ? (
        <Button icon={<PlayCircleOutlined />} onClick={() => ask("resume")}>{t("resume")}</Button>
      ) : (
        <Button icon={<PauseOutlined />} onClick={() => ask("pause")}>{t("pause")}</Button>
      )}
      <Button icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t("add")}</Button>
      <Button danger icon={<StopOutlined />} onClick={() => ask("end")}>{t("end")}</Button>
      <Adding sale={sale} open={isAdding} onClose={() => setAdding(false)} />
    </Can>
  );
}

function Adding({ sale, open, onClose }: { sale: Sale; open: boolean; onClose: () => void }) {
  const t = useWords("sales");
  const say = useSay("sales");
  const add = useAddStock();
  const may = useMay();
  const stock = useSkuStock(open && may("catalog:read") ? sale.sku_id : undefined);
  const loose = stock.data?.stock.unallotted;
  const send = async ({ units }: { units: number }) => {
    await add.mutateAsync({ id: sale.id, units });
    say.done(t("add.done", { n: units }));
  };
  return (
    <FormDrawer<{ units: number }> open={open} onClose={onClose} onSubmit={send} title={t("add.title")} ok={t("add")} noun="sales">
      {(form) => (
        <>
          <p>{loose === undefined ? t("add.about") : t("add.loose", { n: loose.toLocaleString() })}</p>
          <Form.Item name="units" label={t("add.units")} rules={[{ required: true, message: t("units.missing") }]}>
            <InputNumber min={1} max={loose ?? 10_000_000} precision={0} style={{ width: "100%" }} />
          </Form.Item>
          <Form.Item noStyle shouldUpdate>
            {() => {
              const units = form.getFieldValue("units") as number | null | undefined;
              return units ? <p>{t("add.text", { n: units.toLocaleString(), left: (sale.allotted - sale.committed + units).toLocaleString() })}</p> : null;
            }}
          </Form.Item>
        </>
      )}
    </FormDrawer>
  );
}
