import { useQuery } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import { queries } from "./query";

type Schemas = components["schemas"];
export type Overview = Schemas["Overview"];
export type Day = NonNullable<Overview["day"]>;
export type SellingSale = NonNullable<Overview["sales"]>[number];

const KEY = ["overview"];
const UNASKED_MS = 60_000; // events say sooner that there is something new

export function useOverview() {
  return useQuery({ queryKey: KEY, queryFn: () => take(api.GET("/v1/overview")), refetchInterval: UNASKED_MS });
}

export const overviewChanged = () => queries.invalidateQueries({ queryKey: KEY });
