import { useMemo } from "react";
import { useSearchParams } from "react-router";

export type Filters<Name extends string> = Partial<Record<Name, string>>;

export interface UrlFilters<Name extends string> {
  /** What is chosen: only names that have a value. Hand it to the query as it is. */
  values: Filters<Name>;
  /** Chooses; an empty text or undefined takes a filter away. The list begins anew. */
  set: (changes: Filters<Name>) => void;
  clear: () => void;
  /** Whether anything is chosen. */
  any: boolean;
}

/** Names of the address that are no filters: where in the list somebody is. */
export const PLACE = ["after"];

/** The filters of a list, kept in the address: `useUrlFilters(["q", "state"] as const)`. */
export function useUrlFilters<const Name extends string>(names: readonly Name[]): UrlFilters<Name> {
  const [parameters, setParameters] = useSearchParams();
  const key = names.map((name) => parameters.get(name) ?? "").join("\u0000");
  const values = useMemo(() => {
    const found: Filters<Name> = {};
    for (const name of names) {
      const value = parameters.get(name);
      if (value) found[name] = value;
    }
    return found;
    // The names are a constant of the caller's; the values are all that can change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  const set = (changes: Filters<Name>) => setParameters((was) => changed(was, changes), { replace: true });
  const clear = () => set(Object.fromEntries(names.map((name) => [name, ""])) as Filters<Name>);
  return { values, set, clear, any: Object.keys(values).length > 0 };
}

/** The address's parameters after a choice of filters: the place in the list is lost with them. */
export function changed(was: URLSearchParams, changes: Record<string, string | undefined>): URLSearchParams {
  const next = new URLSearchParams(was);
  for (const place of PLACE) next.delete(place);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}
