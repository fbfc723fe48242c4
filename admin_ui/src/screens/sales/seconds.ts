import type { components } from "@/api/client";
import type { Tick } from "./rate";

type Counted = components["schemas"]["Seconds"];

/** Units in each of the `length` seconds up to `end` (seconds since 1970, included). Ticks count from where the API's count ended. */
export function bySecond(counted: Counted, ticks: Tick[], end: number, length: number): number[] {
  const units = new Array<number>(length).fill(0);
  const first = end - length + 1;
  const add = (second: number, n: number) => {
    if (second >= first && second <= end) units[second - first] = (units[second - first] ?? 0) + n;
  };
  for (const second of counted.seconds) add(Math.floor(Date.parse(second.at) / 1000), second.units);
  const from = Date.parse(counted.until);
  for (const tick of ticks) if (tick.at > from) add(Math.floor(tick.at / 1000), tick.units);
  return units;
}

/** Units a second over the last `seconds`, with one digit behind the point. */
export function perSecond(ticks: Tick[], now: number, seconds: number): number {
  const units = ticks.filter((tick) => tick.at > now - seconds * 1000).reduce((sum, tick) => sum + tick.units, 0);
  return Math.round((units / seconds) * 10) / 10;
}
