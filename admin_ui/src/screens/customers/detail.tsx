import { Card, Descriptions, Skeleton, Tag } from "antd";
import { Link, useNavigate, useParams } from "react-router";
import { orderPages, type Order } from "../../api/orders";
import { Problem } from "../../api/problem";
import { useShopper, type Shopper } from "../../api/shoppers";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { CopyId, shortId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { Page } from "../../ui/page";
import { ProblemNote } from "../../ui/problem";
import { State } from "../../ui/state";
import { RightsOfShopper } from "../entitlements/of_shopper";
import { Contact } from "../orders/customer";
import { tone } from "../orders/tones";
import { PointsOfShopper } from "../points/of_shopper";
import { DataRights } from "./data_rights";
import { Groups } from "./groups";

export default function CustomerDetail() {
  const { id = "" } = useParams();
  const t = useWords("customers");
  const shopper = useShopper(id);
  if (shopper.isError && Problem.from(shopper.error).status === 404) {
    return (
      <Page title={shortId(id)} back="/customers">
        <Empty title={t("not_found.title")} text={t("not_found.text")} />
      </Page>
    );
  }
  return (
    <Page
      title={<CopyId id={id} />} name={t("one")} back="/customers"
      extra={shopper.data?.erased_at && <Tag>{t("erased")}</Tag>}
    >
      {shopper.isError && <ProblemNote error={shopper.error} noun="customers" />}
      {shopper.isPending && <Skeleton active />}
      {shopper.data && <Sections shopper={shopper.data} />}
    </Page>
  );
}

function Sections({ shopper }: { shopper: Shopper }) {
  const t = useWords("customers");
  const may = useMay();
  return (
    <div className="sections">
      <div className="stack">
        {may("orders:read") && <Orders shopperId={shopper.id} />}
        {may("orders:read") && (
          <Card size="small" title={t("section.rights")}>
            <RightsOfShopper shopperId={shopper.id} />
          </Card>
        )}
      </div>
      <div className="stack">
        <Card size="small" title={t("section.figures")}>
          <Descriptions
            column={1} size="small" colon={false} styles={{ label: { width: 110 } }}
            items={[
              { key: "contact", label: t("column.contact"), children: shopper.contact === null ? <span className="muted">{t("anonymous")}</span> : <Contact contact={shopper.contact} /> },
              { key: "orders", label: t("column.orders"), children: shopper.orders },
              { key: "unfinished", label: t("column.unfinished"), children: shopper.unfinished },
              { key: "last", label: t("column.last"), children: <Moment at={shopper.last_order_at} none="–" /> },
            ]}
          />
        </Card>
        {may("points:read") && <PointsOfShopper shopperId={shopper.id} />}
        {may("prices:read") && <Groups shopperId={shopper.id} />}
        <DataRights shopper={shopper} />
      </div>
    </div>
  );
}

function Orders({ shopperId }: { shopperId: string }) {
  const t = useWords("orders");
  const navigate = useNavigate();
  const columns: Column<Order>[] = [
    { key: "id", title: t("column.id"), render: (row) => <Link className="copy-id" to={`/orders/${row.id}`}>{shortId(row.id)}</Link> },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <State kind="order" noun="orders" value={row.state} tone={tone("order", row.state)} /> },
    { key: "goods", title: t("column.goods"), render: (row) => row.lines.map((line) => `${line.name} × ${line.quantity}`).join(", ") },
    { key: "amount", title: t("column.amount"), align: "right", render: (row) => <Money minor={row.amount_minor} currency={row.currency} /> },
    { key: "created", title: t("column.created"), render: (row) => <Moment at={row.created_at} /> },
  ];
  return (
    <ListTable<Order>
      id="customers.orders" columns={columns} pages={orderPages({ shopper_id: shopperId })} rowKey={(row) => row.id}
      onOpen={(row) => void navigate(`/orders/${row.id}`)} empty={<Empty title={t("empty.title")} />}
    />
  );
}
