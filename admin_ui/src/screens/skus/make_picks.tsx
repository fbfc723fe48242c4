import { Button, Card, Flex, Form, Input, InputNumber, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import type { TypeView } from "@/api/products";
import { useMakeUnits } from "@/api/skus";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Between } from "@/ui/between";
import { ProblemNote, useSay } from "@/ui";
import { parseAmount } from "./amount";
import { MoneyItem } from "./form";

interface PickForm {
  quantity: number;
  surcharge?: string;
  pick?: string;
  label?: string;
  times?: [Dayjs | null, Dayjs | null];
  span?: [Dayjs, Dayjs];
  weekdays?: number[];
}

/** Nights in a span, or seats of a session: so many units of each. */
export function MakePicks({ id, type }: { id: string; type: TypeView }) {
  const t = useWords("skus");
  const say = useSay("skus");
  const { store } = useSession();
  const make = useMakeUnits(id);
  const isNights = type.name === "booking";
  const send = async (values: PickForm) => {
    const amount = values.surcharge?.trim() ? parseAmount(values.surcharge, store.currency) : null;
    const surcharge = amount && "minor" in amount ? { surcharge_minor: amount.minor } : {};
    const zoned = (at: Dayjs | null | undefined) => (at ? dayjs.tz(at.format("YYYY-MM-DDTHH:mm:ss"), store.zone).toISOString() : null);
    const day = (at: Dayjs) => at.format("YYYY-MM-DD");
    const done = await make.mutateAsync({
      quantity: values.quantity, note: "",
      ...(isNights && values.span
        ? { span: { first: day(values.span[0]), last: day(values.span[1]), weekdays: values.weekdays ?? [], ...surcharge } }
        : { picks: [{ pick: values.pick ?? "", label: values.label || null, starts_at: zoned(values.times?.[0]), ends_at: zoned(values.times?.[1]), ...surcharge }] }),
    });
    say.done(t("make.stock", { n: done.stock.available ?? 0 }));
  };
  return (
    <Card size="small" title={t("make.title")}>
      <Form<PickForm> layout="vertical" onFinish={(values) => void send(values).catch(() => undefined)}>
        {isNights ? (
          <Flex gap="0 16px" wrap>
            <Form.Item name="span" label={t("make.nights")} rules={[{ required: true, message: t("field.needed") }]} style={{ flex: "1 1 260px" }}>
              <Between />
            </Form.Item>
            <Form.Item name="weekdays" label={t("make.weekdays")} style={{ flex: "1 1 200px" }}>
              <Select mode="multiple" placeholder={t("make.every_day")} options={[1, 2, 3, 4, 5, 6, 7].map((value) => ({ value, label: t(`weekday.${value}`) }))} />
            </Form.Item>
          </Flex>
        ) : (
          <Flex gap="0 16px" wrap>
            <Form.Item name="pick" label={t("make.pick")} extra={t("make.pick_hint")} rules={[{ required: true, message: t("field.needed") }]} style={{ flex: "1 1 200px" }}>
              <Input maxLength={64} placeholder="gala.stalls" />
            </Form.Item>
            <Form.Item name="label" label={t("make.label")} style={{ flex: "1 1 200px" }}>
              <Input maxLength={100} />
            </Form.Item>
            <Form.Item name="times" label={t("make.times")} style={{ flex: "1 1 320px" }}>
              <Between showTime />
            </Form.Item>
          </Flex>
        )}
        <Flex gap="0 16px" wrap>
          <Form.Item name="quantity" label={t("make.each")} rules={[{ required: true, message: t("field.needed") }]} style={{ flex: "1 1 140px" }}>
            <InputNumber min={1} max={100_000} precision={0} style={{ width: "100%" }} />
          </Form.Item>
          <MoneyItem name="surcharge" label={t("make.surcharge")} />
        </Flex>
        {make.error && <ProblemNote error={make.error} noun="skus" style={{ marginBottom: 12 }} />}
        <Button type="primary" htmlType="submit" loading={make.isPending}>{t("make.title")}</Button>
      </Form>
    </Card>
  );
}
