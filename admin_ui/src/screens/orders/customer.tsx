import { EyeInvisibleOutlined, EyeOutlined } from "@ant-design/icons";
import { Button, Card } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import type { Order } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { CopyButton, CopyId } from "../../ui/copy_id";
import { masked } from "./contact";

/** Who bought it: the contact masked until it is wanted, so that nobody reads it over a shoulder. */
export function Customer({ order, shopperId }: { order: Order; shopperId: string }) {
  const t = useWords("orders");
  const may = useMay();
  return (
    <Card size="small" title={t("section.customer")} extra={may("customers:read") && <Link to={`/customers/${shopperId}`}>{t("customer.open")}</Link>}>
      <div className="stack" style={{ gap: 8 }}>
        {order.contact === null ? <span className="muted">{t("contact.none")}</span> : <Contact contact={order.contact} />}
        <CopyId id={shopperId} />
        <Link to={`/orders?shopper_id=${shopperId}`}>{t("customer.orders")}</Link>
      </div>
    </Card>
  );
}

export function Contact({ contact }: { contact: string }) {
  const t = useWords("orders");
  const [shown, setShown] = useState(false);
  const label = t(shown ? "contact.hide" : "contact.show");
  return (
    <span className="row" style={{ gap: 4 }}>
      <span style={{ overflowWrap: "anywhere" }}>{shown ? contact : masked(contact)}</span>
      <Button type="text" size="small" icon={shown ? <EyeInvisibleOutlined /> : <EyeOutlined />} aria-label={label} title={label} onClick={() => setShown(!shown)} />
      {shown && <CopyButton text={contact} />}
    </span>
  );
}
