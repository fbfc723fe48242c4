import { DownloadOutlined } from "@ant-design/icons";
import { Button, Space, Tag, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { orderPages, useTags, type Order } from "../../api/orders";
import { queries } from "../../api/query";
import { useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { Empty } from "../../ui/empty";
import { ListTable, type Column } from "../../ui/list_table";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { Page } from "../../ui/page";
import { State } from "../../ui/state";
import { shortId } from "../../ui/copy_id";
import { useUrlFilters } from "../../ui/url_filters";
import { Batch } from "./batch";
import { ExportDrawer } from "./export";
import { OrderFilters } from "./filter_row";
import { FILTER_NAMES, queryOf } from "./filters";
import { masked } from "./contact";
import { tone } from "./tones";
import { Views } from "./views";
import { keepWalk } from "./walk";

export default function OrderList() {
  const t = useWords("orders");
  const { store } = useSession();
  const navigate = useNavigate();
  const { search } = useLocation();
  const filters = useUrlFilters(FILTER_NAMES);
  const [exporting, setExporting] = useState(false);
  const query = queryOf(filters.values, store.zone, new Date());
  const pages = orderPages(query);
  const columns = useColumns();

  // The detail's neighbours are the rows of the page that was last seen here.
  useEffect(() => {
    const note = () => {
      const after = new URLSearchParams(search).get("after");
      const seen = queries.getQueryData<{ rows: Order[] }>(pages(after === null ? { limit: 20 } : { limit: 20, cursor: after }).queryKey);
      if (seen) keepWalk(sessionStorage, { ids: seen.rows.map((row) => row.id), search });
    };
    note();
    return queries.getQueryCache().subscribe(note);
  });

  return (
    <Page title={t("title")} about={t("about")} actions={<Views filters={filters} />}>
      <ListTable<Order>
        id="orders" columns={columns} pages={pages} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/orders/${row.id}`)}
        filters={<OrderFilters filters={filters} />} filtered={filters.any} onClear={filters.clear}
        batch={(rows, clear) => <Batch rows={rows} clear={clear} />}
        tools={
          <Tooltip title={t("export.title")}>
            <Button icon={<DownloadOutlined />} onClick={() => setExporting(true)}>
              {t("export")}
            </Button>
          </Tooltip>
        }
        empty={
          <Empty
            title={t("empty.title")} text={t("empty.text")}
            action={<Link to="/sales"><Button type="primary">{t("empty.action")}</Button></Link>}
          />
        }
      />
      <ExportDrawer open={exporting} onClose={() => setExporting(false)} query={query} />
    </Page>
  );
}

function useColumns(): Column<Order>[] {
  const t = useWords("orders");
  const { data: tags } = useTags();
  const names = new Map(tags?.map((tag) => [tag.id, tag.name]));
  return [
    {
      key: "id", title: t("column.id"),
      render: (row) => (
        <Link to={`/orders/${row.id}`} className="copy-id" title={row.id}>
          {shortId(row.id)}
        </Link>
      ),
    },
    { key: "state", title: t("column.state"), phone: "head", render: (row) => <State kind="order" noun="orders" value={row.state} tone={tone("order", row.state)} /> },
    { key: "goods", title: t("column.goods"), render: (row) => <Goods order={row} /> },
    {
      key: "amount", title: t("column.amount"), align: "right",
      render: (row) => <Money minor={row.amount_minor} currency={row.currency} />,
    },
    {
      key: "refunded", title: t("column.refunded"), align: "right", phone: "none",
      render: (row) => (row.refunded_minor > 0 ? <Money minor={row.refunded_minor} currency={row.currency} /> : <span className="muted">–</span>),
    },
    {
      key: "contact", title: t("column.contact"),
      render: (row) => (row.contact === null ? <span className="muted">–</span> : masked(row.contact)),
    },
    {
      key: "tags", title: t("column.tags"),
      render: (row) => (
        <Space size={4} wrap>
          {row.tag_ids.map((id) => <Tag key={id}>{names.get(id) ?? shortId(id)}</Tag>)}
        </Space>
      ),
    },
    { key: "created", title: t("column.created"), render: (row) => <Moment at={row.created_at} /> },
    { key: "channel", title: t("column.channel"), optional: true, phone: "none", render: (row) => <Channel code={row.channel} /> },
    { key: "paid", title: t("column.paid"), optional: true, phone: "none", render: (row) => <Moment at={row.paid_at} none="–" /> },
    { key: "delivered", title: t("column.delivered"), optional: true, phone: "none", render: (row) => <Moment at={row.delivered_at} none="–" /> },
  ];
}

function Goods({ order }: { order: Order }) {
  const t = useWords("orders");
  const [first, ...others] = order.lines;
  if (first === undefined) return <span className="muted">–</span>;
  return (
    <span>
      {first.name} × {first.quantity}
      {others.length > 0 && <span className="muted"> {t("goods.more", { n: others.length + 1 })}</span>}
    </span>
  );
}

function Channel({ code }: { code: string }) {
  const t = useWords("orders");
  const key = `channel.${code}`;
  return <>{t(key) === key ? code : t(key)}</>;
}
