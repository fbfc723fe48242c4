import { useLocation, useNavigate, useSearchParams } from "react-router";

interface Place {
  /** The cursors of the pages before this one, the first page's being "". Kept with the entry of the browser's history. */
  before?: string[];
}

/** Where in a list somebody is: `?after=` in the address. Back and forward of the browser do what they should. */
export function useCursor() {
  const [parameters] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const after = parameters.get("after");
  const before = (location.state as Place | null)?.before ?? [];
  const go = (cursor: string, stack: string[]) => {
    const next = new URLSearchParams(parameters);
    if (cursor === "") next.delete("after");
    else next.set("after", cursor);
    void navigate({ search: next.toString() }, { state: { before: stack } satisfies Place });
  };
  return {
    after,
    hasPrevious: before.length > 0,
    next: (cursor: string) => go(cursor, [...before, after ?? ""]),
    previous: () => go(before.at(-1) ?? "", before.slice(0, -1)),
    first: () => go("", []),
  };
}
