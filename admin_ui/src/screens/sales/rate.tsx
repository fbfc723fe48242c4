import dayjs from "dayjs";
import { useMemo } from "react";
import { useSeconds } from "@/api/sales";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Chart, ProblemNote } from "@/ui";
import { bySecond, perSecond } from "./seconds";

export interface Tick {
  at: number;
  units: number;
}

export const SHOWN_S = 120;
const NOW_S = 5;

/** Units reserved in each second: what the API counted, and from then on what events say. */
export function Rate({ id, ticks }: { id: string; ticks: Tick[] }) {
  const t = useWords("sales");
  const { store } = useSession();
  const { data, error } = useSeconds(id, SHOWN_S);
  const end = Math.floor((ticks.at(-1)?.at ?? (data ? Date.parse(data.until) : Date.now())) / 1000);
  const units = useMemo(() => (data ? bySecond(data, ticks, end, SHOWN_S) : []), [data, ticks, end]);
  const option = useMemo(
    () => ({
      tooltip: { trigger: "axis" as const },
      xAxis: { type: "category" as const, data: units.map((_, n) => dayjs((end - units.length + 1 + n) * 1000).tz(store.zone).format("HH:mm:ss")) },
      yAxis: { type: "value" as const, minInterval: 1 },
      series: [{ name: t("rate.units"), type: "bar" as const, data: units, barCategoryGap: "10%" }],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [units, end, store.zone, t("rate.units")],
  );
  if (error !== null) return <ProblemNote error={error} />;
  const most = Math.max(0, ...units);
  const now = ticks.length > 0 ? perSecond(ticks, Date.now(), NOW_S) : 0;
  return (
    <>
      <p className="row" style={{ marginTop: 0 }}>
        <span>{t("rate.now")} <strong className="number" data-rate>{now.toLocaleString()}</strong></span>
        <span className="muted">{t("rate.most", { n: most.toLocaleString() })}</span>
      </p>
      <Chart option={option} height={200} label={t("rate.label", { most, now })} />
    </>
  );
}
