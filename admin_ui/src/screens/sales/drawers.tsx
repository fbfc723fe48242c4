import { Form, InputNumber } from "antd";
import { useChangeStock, useLimitSale, useSkuStock, type Sale } from "@/api/sales";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { FormDrawer, useSay } from "@/ui";

interface Props {
  sale: Sale;
  open: boolean;
  onClose: () => void;
}

export function Adding({ sale, open, onClose }: Props) {
  const t = useWords("sales");
  const say = useSay("sales");
  const change = useChangeStock();
  const may = useMay();
  const stock = useSkuStock(open && may("catalog:read") ? sale.sku_id : undefined);
  const loose = stock.data?.stock.unallotted;
  const send = async ({ units }: { units: number }) => {
    await change.mutateAsync({ id: sale.id, add: units });
    say.done(t("add.done", { n: units }));
  };
  return (
    <FormDrawer<{ units: number }> open={open} onClose={onClose} onSubmit={send} title={t("add.title")} ok={t("add")} noun="sales">
      <p>{loose === undefined ? t("add.about") : t("add.loose", { n: loose.toLocaleString() })}</p>
      <Units act="add" max={loose ?? 10_000_000} left={(units) => sale.allotted - sale.committed + units} />
    </FormDrawer>
  );
}

export function Withdrawing({ sale, open, onClose }: Props) {
  const t = useWords("sales");
  const say = useSay("sales");
  const change = useChangeStock();
  const left = sale.allotted - sale.committed;
  const send = async ({ units }: { units: number }) => {
    await change.mutateAsync({ id: sale.id, withdraw: units });
    say.done(t("withdraw.done", { n: units }));
  };
  return (
    <FormDrawer<{ units: number }>
      open={open} onClose={onClose} onSubmit={send} title={t("withdraw.title")} ok={t("withdraw")} noun="sales"
    >
      <p>{t("withdraw.about", { left: left.toLocaleString() })}</p>
      <Units act="withdraw" max={left} left={(units) => left - units} />
    </FormDrawer>
  );
}

export function Limiting({ sale, open, onClose }: Props) {
  const t = useWords("sales");
  const say = useSay("sales");
  const limit = useLimitSale();
  const send = async ({ units }: { units: number }) => {
    await limit.mutateAsync({ id: sale.id, limit_per_shopper: units });
    say.done(t("relimit.done"));
  };
  const initial = { units: sale.limit_per_shopper };
  return (
    <FormDrawer<{ units: number }>
      open={open} onClose={onClose} onSubmit={send} title={t("relimit.title")} ok={t("relimit")} initial={initial} noun="sales"
    >
      <p>{t("relimit.about")}</p>
      <Form.Item name="units" label={t("limit")} extra={t("limit.about")} rules={[{ required: true, message: t("limit.missing") }]}>
        <InputNumber min={0} max={1000} precision={0} style={{ width: "100%" }} />
      </Form.Item>
    </FormDrawer>
  );
}

/** How many, and what will be left then. */
function Units({ act, max, left }: { act: "add" | "withdraw"; max: number; left: (units: number) => number }) {
  const t = useWords("sales");
  const units = Form.useWatch<number | null | undefined>("units", Form.useFormInstance());
  return (
    <>
      <Form.Item name="units" label={t(`${act}.units`)} rules={[{ required: true, message: t("units.missing") }]}>
        <InputNumber min={1} max={max} precision={0} style={{ width: "100%" }} />
      </Form.Item>
      {units ? <p>{t(`${act}.text`, { n: units.toLocaleString(), left: left(units).toLocaleString() })}</p> : null}
    </>
  );
}
