import { Skeleton } from "antd";
import { useEffect, useRef, useState } from "react";
import type { EChartsOption } from "echarts";
import { useLook } from "../shell/theme";

type Echarts = typeof import("./echarts");
let loaded: Promise<Echarts> | undefined;

/** A chart of ECharts, fetched with the first one that is shown. `label` says in words what is to be seen. */
export function Chart({ option, height = 280, label }: { option: EChartsOption; height?: number; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const { isDark } = useLook();
  const [echarts, setEcharts] = useState<Echarts | null>(null);
  useEffect(() => {
    loaded ??= import("./echarts");
    let here = true;
    void loaded.then((module) => here && setEcharts(module));
    return () => {
      here = false;
    };
  }, []);
  const drawn = useRef<ReturnType<Echarts["begin"]> | null>(null);
  const newest = useRef(option);
  newest.current = option;
  useEffect(() => {
    if (echarts === null || place.current === null) return;
    const chart = (drawn.current = echarts.begin(place.current, isDark, newest.current));
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      chart.dispose();
      drawn.current = null;
    };
  }, [echarts, isDark]);
  useEffect(() => {
    if (drawn.current !== null) echarts?.redraw(drawn.current, option);
  }, [echarts, option]);
  return (
    <div role="img" aria-label={label} style={{ height, position: "relative" }}>
      {echarts === null && <Skeleton.Node active style={{ width: "100%", height }} />}
      <div ref={place} style={{ height, width: "100%" }} />
    </div>
  );
}
