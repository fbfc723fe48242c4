import { Descriptions } from "antd";
import type { Order } from "../../api/orders";
import { useWords } from "../../shell/words";
import { CopyId } from "../../ui/copy_id";
import { Moment } from "../../ui/moment";

export function About({ order }: { order: Order }) {
  const t = useWords("orders");
  const channel = t(`channel.${order.channel}`);
  return (
    <Descriptions
      column={1} size="small" colon={false} styles={{ label: { width: 96 } }}
      items={[
        { key: "id", label: t("about.id"), children: <CopyId id={order.id} /> },
        { key: "channel", label: t("about.channel"), children: channel === `channel.${order.channel}` ? order.channel : channel },
        { key: "created", label: t("about.created"), children: <Moment at={order.created_at} exact /> },
        ...(order.state === "awaiting" && order.expires_at ? [{ key: "expires", label: t("about.expires"), children: <Moment at={order.expires_at} /> }] : []),
        ...(order.paid_at ? [{ key: "paid", label: t("about.paid"), children: <Moment at={order.paid_at} exact /> }] : []),
        ...(order.delivered_at ? [{ key: "delivered", label: t("about.delivered"), children: <Moment at={order.delivered_at} exact /> }] : []),
      ]}
    />
  );
}
