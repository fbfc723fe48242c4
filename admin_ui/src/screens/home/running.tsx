import { Progress as Bar } from "antd";
import { Link } from "react-router";
import type { SellingSale } from "@/api/overview";
import { lookOf, type Progress } from "@/api/sales";
import { useWords } from "@/shell/words";
import { Moment, State } from "@/ui";

/** Sales that are open or paused: how far they have sold, as it is said a second ago. */
export function Running({ sales, progress }: { sales: SellingSale[]; progress: Record<string, Progress> }) {
  const t = useWords("home");
  return (
    <ul className="plain-list">
      {sales.map((known) => {
        const sale = { ...known, ...progress[known.id] };
        const share = sale.allotted === 0 ? 0 : Math.floor((sale.committed / sale.allotted) * 100);
        return (
          <li key={known.id}>
            <div className="grow">
              <div className="row">
                <Link to={`/sales/${known.id}`}>{sale.name}</Link>
                <State kind="sale" value={lookOf(sale)} noun="sales" />
                <span className="muted">
                  {lookOf(sale) === "not_started" ? <>{t("starts")} <Moment at={known.starts_at} /></> : known.ends_at !== null && <>{t("ends")} <Moment at={known.ends_at} /></>}
                </span>
              </div>
              <Bar percent={share} size="small" strokeColor="var(--ant-color-primary)" showInfo={false} aria-label={t("sold_share", { n: share })} />
            </div>
            <span className="number" data-left={known.id}>
              {t("left_of", { left: (sale.allotted - sale.committed).toLocaleString(), all: sale.allotted.toLocaleString() })}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
