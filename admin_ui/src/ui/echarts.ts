import { BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import { DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import type { EChartsOption } from "echarts";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, ScatterChart]);
use([DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

const LIGHT = ["#12685a", "#d9922e", "#4567b7", "#b0486b", "#6b8e23", "#7a5ea8"];
const DARK = ["#3aa68c", "#e9b860", "#7c9bea", "#e07fa0", "#a4c15a", "#b39bdf"];

/** Tooltips are drawn on the canvas: as HTML they would need inline styles, which our content security policy refuses. */
export function begin(place: HTMLElement, isDark: boolean, option: EChartsOption): EChartsType {
  const chart = init(place, isDark ? "dark" : null);
  const text = isDark ? "rgba(255,255,255,0.75)" : "rgba(0,0,0,0.68)";
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  chart.setOption({
    color: isDark ? DARK : LIGHT,
    backgroundColor: "transparent",
    textStyle: { color: text },
    animationDuration: still ? 0 : 300,
    grid: { left: 8, right: 12, top: 28, bottom: 8, containLabel: true },
  });
  redraw(chart, option);
  return chart;
}

/** The same chart with other figures: what stays is not drawn anew. */
export function redraw(chart: EChartsType, option: EChartsOption): void {
  const { tooltip } = option;
  chart.setOption({ ...option, ...(tooltip && !Array.isArray(tooltip) ? { tooltip: { ...tooltip, renderMode: "richText" } } : {}) });
}
