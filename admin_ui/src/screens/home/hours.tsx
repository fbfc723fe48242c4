import { useMemo } from "react";
import dayjs from "dayjs";
import type { Day } from "@/api/overview";
import { useWords } from "@/shell/words";
import { Chart } from "@/ui";

/** The last 24 hours, the one that runs included, by the store's clock. */
export function Hours({ day }: { day: Day }) {
  const t = useWords("home");
  const key = JSON.stringify(day.hours);
  const option = useMemo(() => {
    const at = day.hours.map((hour) => dayjs(hour.starts_at).tz(day.zone).format("HH:mm"));
    return {
      tooltip: { trigger: "axis" as const },
      legend: { top: 0, right: 0, data: [t("made"), t("paid")] },
      xAxis: { type: "category" as const, data: at },
      yAxis: { type: "value" as const, minInterval: 1 },
      series: [
        { name: t("made"), type: "bar" as const, data: day.hours.map((hour) => hour.orders), barMaxWidth: 14 },
        { name: t("paid"), type: "bar" as const, data: day.hours.map((hour) => hour.paid), barMaxWidth: 14 },
      ],
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, t("made")]);
  const made = day.hours.reduce((sum, hour) => sum + hour.orders, 0);
  const paid = day.hours.reduce((sum, hour) => sum + hour.paid, 0);
  return <Chart option={option} height={220} label={t("hours.label", { made, paid })} />;
}
