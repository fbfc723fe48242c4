import { QueryClient, type QueryKey } from "@tanstack/react-query";
import { retryDelay, shouldRetry } from "./problem";

export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: shouldRetry, retryDelay, staleTime: 10_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

export interface PageOf<Row> {
  rows: Row[];
  next: string | null;
}

export interface Cursor {
  limit: number;
  cursor?: string;
}

/** One page of a list of the API, as `<ListTable pages>` asks for it. */
export type Pages<Row> = (page: Cursor) => { queryKey: QueryKey; queryFn: () => Promise<PageOf<Row>> };

/** All of a list that is known to be short, page after page. */
export async function everyPage<Row>(ask: (page: Cursor) => Promise<PageOf<Row>>, most = 1000): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask(cursor === undefined ? { limit: 100 } : { limit: 100, cursor });
    rows.push(...page.rows);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && rows.length < most);
  return rows;
}
