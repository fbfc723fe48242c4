import { Card, Descriptions, Skeleton } from "antd";
import { useEffect, useState } from "react";
import { useParams } from "react-router";
import { funnelChanged, heed, lookOf, saleChanged, useFunnel, useReminders, useSale, type Progress, type Sale } from "@/api/sales";
import { useWords } from "@/shell/words";
import { CopyId, LiveTag, Moment, Money, Page, ProblemNote, Spoken, State, useAtMost, useEvents, type EventLink, type ServerEvent } from "@/ui";
import { Acts } from "./acts";
import { Funnel } from "./funnel";
import { isOf, Latest } from "./latest";
import { Rate, type Tick } from "./rate";
import { Share } from "./share";

const KEPT = 30; // events shown
const TICKS = 600;
const ASKED_MS = 2_000;
const STREAM = "/v1/events";

export default function SaleDetail() {
  const { id = "" } = useParams();
  return <Live key={id} id={id} />;
}

function Live({ id }: { id: string }) {
  const t = useWords("sales");
  const { data: sale, error } = useSale(id);
  const [latest, setLatest] = useState<ServerEvent[]>([]);
  const [ticks, setTicks] = useState<Tick[]>([]);
  const ask = useAtMost(ASKED_MS, () => void funnelChanged(id));
  const link = useEvents(STREAM, (event) => {
    if (event.type === "gap") {
      void saleChanged(id);
      ask();
    }
    if (!isOf(event, id)) return;
    ask();
    if (event.type === "sale.progress") {
      const moved = event.data as Progress;
      heed(moved);
      if (moved.reserved > 0) setTicks((before) => [...before.slice(-TICKS), { at: moved.at_ms, units: moved.reserved }]);
    } else {
      if (event.type.startsWith("sale.")) void saleChanged(id);
      setLatest((before) => [event, ...before].slice(0, KEPT));
    }
  });
  if (error !== null) return <Page title={t("title")} back="/sales"><ProblemNote error={error} noun="sales" /></Page>;
  if (sale === undefined) return <Page title={t("title")} back="/sales"><Skeleton active paragraph={{ rows: 10 }} /></Page>;
  return <Shown sale={sale} link={link} latest={latest} ticks={ticks} />;
}

function Shown({ sale, link, latest, ticks }: { sale: Sale; link: EventLink; latest: ServerEvent[]; ticks: Tick[] }) {
  const t = useWords("sales");
  const funnel = useFunnel(sale.id);
  useNow();
  const left = sale.allotted - sale.committed;
  const waiting = funnel.data?.waiting.units ?? 0;
  const numbers = [
    { key: "allotted", n: sale.allotted },
    { key: "committed", n: sale.committed },
    { key: "waiting", n: waiting },
    { key: "left", n: left },
  ];
  return (
    <Page
      title={sale.name} back="/sales" actions={<Acts sale={sale} waiting={waiting} />}
      extra={<><State kind="sale" value={lookOf(sale)} noun="sales" /><LiveTag link={link} /></>}
    >
      <div className="stack">
        <dl className="figures" style={{ margin: 0 }}>
          {numbers.map(({ key, n }) => (
            <div className="figure" key={key}>
              <dt>{t(`stock.${key}`)}</dt>
              <dd className="big" data-stock={key}>{n.toLocaleString()}</dd>
              <dd className="beside">{t(`stock.${key}.about`)}</dd>
            </div>
          ))}
        </dl>
        <Spoken text={t("spoken", { n: sale.committed, left })} />
        <div className="sections">
          <div className="stack">
            <Card size="small" title={<h2 className="card-title">{t("rate")}</h2>}><Rate id={sale.id} ticks={ticks} /></Card>
            <Card size="small" title={<h2 className="card-title">{t("funnel")}</h2>}>
              {funnel.error !== null ? <ProblemNote error={funnel.error} /> : <Funnel funnel={funnel.data} />}
            </Card>
            <Card size="small" title={<h2 className="card-title">{t("latest")}</h2>}><Latest events={latest} saleId={sale.id} /></Card>
          </div>
          <div className="stack">
            <Card size="small" title={<h2 className="card-title">{t("terms")}</h2>}><Terms sale={sale} /></Card>
            <Card size="small" title={<h2 className="card-title">{t("share")}</h2>}><Share sale={sale} /></Card>
          </div>
        </div>
      </div>
    </Page>
  );
}

function Terms({ sale }: { sale: Sale }) {
  const t = useWords("sales");
  const items = [
    { key: "price", label: t("price"), children: <Money minor={sale.price_minor} currency={sale.currency} /> },
    { key: "starts", label: t("starts"), children: <Moment at={sale.starts_at} exact /> },
    { key: "ends", label: t("ends"), children: <Moment at={sale.ends_at} exact none={t("no_end")} /> },
    { key: "limit", label: t("limit"), children: sale.limit_per_shopper === 0 ? t("no_limit") : t("units", { n: sale.limit_per_shopper }) },
    { key: "hold", label: t("hold"), children: t("minutes", { n: Math.round(sale.hold_s / 6) / 10 }) },
    { key: "door", label: t("door"), children: t(`door.${sale.door}`) },
    ...(sale.door === "gate" ? [{ key: "room", label: t("room"), children: t(`room.${sale.waiting_room}`) }] : []),
    ...(sale.door === "shelf" ? [] : [{ key: "reminders", label: t("reminders"), children: <Waiting id={sale.id} /> }]),
    { key: "id", label: "ID", children: <CopyId id={sale.id} /> },
  ];
  return <Descriptions size="small" column={1} items={items} />;
}

function Waiting({ id }: { id: string }) {
  const t = useWords("sales");
  const count = useReminders(id).data;
  if (count === undefined) return <>–</>;
  const kinds = (["start", "back", "unconfirmed", "sent"] as const).filter((kind) => count[kind] > 0);
  const told = kinds.map((kind) => t(`reminders.${kind}`, { n: count[kind] }));
  return <>{told.length === 0 ? <span className="muted">{t("reminders.none")}</span> : told.join(" · ")}</>;
}

/** A sale begins, and ends, without anybody saying so. */
function useNow() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}
