import { BellOutlined, CheckCircleOutlined, PlusOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { Button, Card, Skeleton } from "antd";
import { lazy, Suspense, useState, type ComponentType } from "react";
import { Link } from "react-router";
import { overviewChanged, useOverview, type Overview } from "@/api/overview";
import { heed, type Progress } from "@/api/sales";
import { screens } from "@/shell/screen";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, LiveTag, Page, ProblemNote, Spoken, useAtMost, useEvents } from "@/ui";
import { Figures } from "./figures";
import { Hours } from "./hours";
import { Running } from "./running";

// What a new merchant does first, if it is there.
const guides = import.meta.glob<{ default: ComponentType }>("../setup/guide.tsx");
const load = Object.values(guides)[0];
const Guide = load === undefined ? null : lazy(load);

const ASKED_MS = 3_000; // so seldom are the figures asked again, whatever happens
const STREAM = "/v1/events";

export default function Home() {
  const t = useWords("home");
  const may = useMay();
  const { data, error } = useOverview();
  const [progress, setProgress] = useState<Record<string, Progress>>({});
  const ask = useAtMost(ASKED_MS, () => void overviewChanged());
  const link = useEvents(STREAM, ({ type, data: said }) => {
    if (type === "sale.progress") {
      const moved = said as Progress;
      heed(moved);
      setProgress((before) => ({ ...before, [moved.sale_id]: moved }));
    }
    if (type !== "open") ask();
  });
  const today = data?.day?.today[0];
  const create = may("sales:write") && (
    <Link to="/sales/new">
      <Button type="primary" icon={<PlusOutlined />} tabIndex={-1}>
        {t("new_sale")}
      </Button>
    </Link>
  );
  return (
    <Page title={t("title")} extra={<LiveTag link={link} />} primary={create}>
      <div className="stack">
        {error !== null && <ProblemNote error={error} />}
        {Guide !== null && (
          <Suspense fallback={null}>
            <Guide />
          </Suspense>
        )}
        {data === undefined ? error === null && <Skeleton active paragraph={{ rows: 8 }} /> : <Shown data={data} progress={progress} />}
        <Spoken text={today === undefined ? "" : t("spoken", { orders: today.orders, paid: today.paid })} />
      </div>
    </Page>
  );
}

function Shown({ data, progress }: { data: Overview; progress: Record<string, Progress> }) {
  const t = useWords("home");
  const may = useMay();
  return (
    <>
      {data.day !== null && <Figures day={data.day} />}
      <div className="sections">
        <div className="stack">
          {data.sales !== null && (
            <Card size="small" title={<h2 className="card-title">{t("running")}</h2>} extra={<Link to="/sales">{t("all_sales")}</Link>}>
              {data.sales.length > 0 ? <Running sales={data.sales} progress={progress} /> : (
                <Empty picture={<ThunderboltOutlined />} title={t("no_sale.title")} text={t("no_sale.text")} action={may("sales:write") && <Link to="/sales/new">{t("new_sale")}</Link>} />
              )}
            </Card>
          )}
          {data.day !== null && (
            <Card size="small" title={<h2 className="card-title">{t("hours")}</h2>}>
              <Hours day={data.day} />
            </Card>
          )}
        </div>
        <Card size="small" title={<h2 className="card-title">{t("attention")}</h2>}>
          <Attention data={data} />
        </Card>
      </div>
    </>
  );
}

const COUNTED_MAX = 1000;

function Attention({ data }: { data: Overview }) {
  const t = useWords("home");
  const paused = data.sales?.filter((sale) => sale.state === "paused") ?? [];
  const rows = [
    { key: "exceptions", n: data.open_exceptions ?? 0, path: "/exceptions" },
    { key: "low_stock", n: data.low_stock ?? 0, path: "/vault" },
    { key: "paused", n: paused.length, path: "/sales?state=paused" },
  ].filter((row) => row.n > 0);
  if (rows.length === 0) return <p className="row" style={{ margin: 0 }}><CheckCircleOutlined aria-hidden /> {t("calm")}</p>;
  return (
    <ul className="plain-list">
      {rows.map(({ key, n, path }) => {
        const text = t(`attention.${key}`, { n: n >= COUNTED_MAX ? `${COUNTED_MAX}+` : n });
        const isThere = screens.some((screen) => screen.path === path.split("?")[0]);
        return (
          <li key={key}>
            <BellOutlined aria-hidden />
            <span className="grow">{isThere ? <Link to={path}>{text}</Link> : text}</span>
          </li>
        );
      })}
    </ul>
  );
}
