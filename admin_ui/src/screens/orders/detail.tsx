import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Button, Card, Skeleton, Tooltip } from "antd";
import { useEffect } from "react";
import { useNavigate, useParams } from "react-router";
import { Problem } from "../../api/problem";
import { useOrder, useStanding, type Order, type Standing } from "../../api/orders";
import { useWords } from "../../shell/words";
import { CopyId, shortId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { Page } from "../../ui/page";
import { ProblemNote } from "../../ui/problem";
import { State } from "../../ui/state";
import { About } from "./about";
import { Actions } from "./actions";
import { Customer } from "./customer";
import { Lines } from "./lines";
import { MoneySection } from "./money";
import { Notes } from "./notes";
import { isMoving } from "./refunding";
import { SnapshotSection } from "./snapshot";
import { TagsSection } from "./tags";
import { TimelineSection } from "./timeline";
import { tone } from "./tones";
import { neighbours, readWalk } from "./walk";

export default function OrderDetail() {
  const { id = "" } = useParams();
  const t = useWords("orders");
  const order = useOrder(id);
  const standing = useStanding(id);
  const moving = order.data !== undefined && isMoving(standing.data, order.data.state);
  useRefresh(moving, id);
  const walk = readWalk(sessionStorage);

  if (order.isError && Problem.from(order.error).status === 404) {
    return (
      <Page title={shortId(id)} back={`/orders${walk.search}`}>
        <Empty title={t("not_found.title")} text={t("not_found.text")} />
      </Page>
    );
  }
  return (
    <Page
      title={<CopyId id={id} />} name={`${t("column.id")} ${shortId(id)}`} back={`/orders${walk.search}`}
      extra={
        <>
          {order.data && <State kind="order" noun="orders" value={order.data.state} tone={tone("order", order.data.state)} />}
          <Walk id={id} />
        </>
      }
      primary={order.data && standing.data && <Actions order={order.data} standing={standing.data} />}
    >
      {order.isError && <ProblemNote error={order.error} noun="orders" />}
      {standing.isError && <ProblemNote error={standing.error} noun="orders" />}
      {order.isPending || standing.isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : order.data && standing.data && <Sections order={order.data} standing={standing.data} />}
    </Page>
  );
}

function Sections({ order, standing }: { order: Order; standing: Standing }) {
  const t = useWords("orders");
  return (
    <div className="sections">
      <div className="stack">
        <Lines order={order} standing={standing} />
        <MoneySection order={order} standing={standing} />
        <TimelineSection id={order.id} currency={order.currency} />
        <SnapshotSection id={order.id} />
      </div>
      <div className="stack">
        <Card size="small" title={t("section.about")}>
          <About order={order} />
        </Card>
        <Customer order={order} shopperId={standing.shopper_id} />
        <TagsSection order={order} />
        <Notes id={order.id} />
      </div>
    </div>
  );
}

/** Money on its way arrives by itself: the page looks again every three seconds while some is. */
function useRefresh(moving: boolean, id: string): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "orders" && queryKey[2] === id }), 3_000);
    return () => clearInterval(timer);
  }, [moving, client, id]);
}

/** The orders before and after this one in the list one came from; `j` and `k` walk. */
function Walk({ id }: { id: string }) {
  const t = useWords("orders");
  const navigate = useNavigate();
  const walk = readWalk(sessionStorage);
  const { place, previous, next } = neighbours(walk, id);
  const go = (to: string | undefined) => to !== undefined && void navigate(`/orders/${to}`);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target;
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector(".ant-modal-wrap, .ant-drawer-open") !== null) return;
      if (target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))) return;
      if (event.key === "j") go(next);
      if (event.key === "k") go(previous);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
  if (place < 0) return null;
  return (
    <span className="row" style={{ gap: 0 }}>
      <Tooltip title={t("previous")}>
        <Button type="text" size="small" icon={<LeftOutlined />} aria-label={t("previous")} disabled={previous === undefined} onClick={() => go(previous)} />
      </Tooltip>
      <span className="muted number" aria-label={t("place", { place: place + 1, total: walk.ids.length })}>
        {place + 1} / {walk.ids.length}
      </span>
      <Tooltip title={t("next")}>
        <Button type="text" size="small" icon={<RightOutlined />} aria-label={t("next")} disabled={next === undefined} onClick={() => go(next)} />
      </Tooltip>
    </span>
  );
}
