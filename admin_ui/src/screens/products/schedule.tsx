import { Alert, Button, Card, DatePicker, Form } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { useChangeProduct, type Product } from "@/api/products";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Moment, ProblemNote, useSay } from "@/ui";

interface Props {
  product: Product;
  etag: string;
  readOnly: boolean;
}

/** When it appears and goes by itself, in the store's zone. A state that is set by hand ends what was scheduled for it. */
export function Schedule({ product, etag, readOnly }: Props) {
  const t = useWords("products");
  const say = useSay("products");
  const { store } = useSession();
  const change = useChangeProduct(product.id);
  const [editing, setEditing] = useState(false);
  const local = (at: string | null) => (at ? dayjs(at).tz(store.zone) : null);
  const zoned = (at: Dayjs | null | undefined) => (at ? dayjs.tz(at.format("YYYY-MM-DDTHH:mm:ss"), store.zone).toISOString() : null);
  const save = async (values: { publish_at?: Dayjs | null; unpublish_at?: Dayjs | null }) => {
    await change.mutateAsync({ etag, body: { publish_at: zoned(values.publish_at), unpublish_at: zoned(values.unpublish_at) } });
    setEditing(false);
    say.done(t("saved"));
  };
  return (
    <Card size="small" title={t("schedule.title")} extra={!readOnly && !editing && <Button size="small" onClick={() => setEditing(true)}>{t("edit")}</Button>}>
      {editing ? (
        <Form
          layout="vertical" onFinish={(values) => void save(values).catch(() => undefined)}
          initialValues={{ publish_at: local(product.publish_at), unpublish_at: local(product.unpublish_at) }}
        >
          {product.state === "draft" && (
            <Form.Item name="publish_at" label={t("schedule.publish")}>
              <DatePicker showTime style={{ width: "100%" }} />
            </Form.Item>
          )}
          <Form.Item name="unpublish_at" label={t("schedule.unpublish")} extra={t("schedule.zone", { zone: store.zone })}>
            <DatePicker showTime style={{ width: "100%" }} />
          </Form.Item>
          {change.error && <ProblemNote error={change.error} noun="products" style={{ marginBottom: 12 }} />}
          <div className="row">
            <Button type="primary" htmlType="submit" loading={change.isPending}>{t("save")}</Button>
            <Button onClick={() => (change.reset(), setEditing(false))}>{t("cancel")}</Button>
          </div>
        </Form>
      ) : (
        <div className="stack" style={{ gap: 6 }}>
          {product.publish_at && <span>{t("schedule.publish")} <Moment at={product.publish_at} exact /></span>}
          {product.unpublish_at && <span>{t("schedule.unpublish")} <Moment at={product.unpublish_at} exact /></span>}
          {!product.publish_at && !product.unpublish_at && <span className="muted">{t("schedule.none")}</span>}
          {product.state === "draft" && !product.publish_at && <Alert type="info" showIcon title={t("schedule.draft")} />}
        </div>
      )}
    </Card>
  );
}
