import { useQuery } from "@tanstack/react-query";
import { credentials, raw, send, type Mode } from "./client";
import { queries } from "./query";

export interface Session {
  base_domain: string;
  csrf: string;
  who: { id: string; mail: string; locale: "zh-CN" | "en"; totp: boolean } | null;
  store: { tenant_id: string; slug: string; name: string; url: string; currency: string; zone: string; locale: string; locales: string[] } | null;
  permissions: string[];
  mode: Mode;
  has_sandbox: boolean;
  expires_at: string | null;
}

export interface SignIn {
  mail: string;
  password: string;
  code?: string;
  tenant_id?: string;
}

const KEY = ["session"];
const MODE = "tessera.mode";

credentials.mode = globalThis.sessionStorage?.getItem(MODE) === "test" ? "test" : "live";
credentials.onLost = () => {
  const known = queries.getQueryData<Session>(KEY);
  if (known?.who) queries.setQueryData(KEY, { ...known, who: null });
};

function keep(session: Session): Session {
  credentials.csrf = session.csrf;
  credentials.mode = session.mode;
  sessionStorage.setItem(MODE, session.mode);
  return session;
}

async function ask(): Promise<Session> {
  return keep((await (await raw("GET", "/console/session")).json()) as Session);
}

export function useSessionQuery() {
  return useQuery({ queryKey: KEY, queryFn: ask, staleTime: Infinity });
}

export async function signIn(wish: SignIn): Promise<void> {
  const answer = await raw("POST", "/console/session", JSON.stringify(wish), { "Content-Type": "application/json" });
  const session = keep((await answer.json()) as Session);
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  queries.setQueryData(KEY, session);
}

export async function signOut(): Promise<void> {
  const answer = await raw("DELETE", "/console/session");
  const session = keep((await answer.json()) as Session);
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  queries.setQueryData(KEY, session);
}

/** Shows the store or its sandbox, which is opened if there is none. Everything on the screen is asked anew. */
export async function switchMode(mode: Mode, hasSandbox: boolean): Promise<void> {
  if (mode === "test" && !hasSandbox) {
    credentials.mode = "live";
    await send("POST", "/console/sandbox", "{}", { "Content-Type": "application/json" });
  }
  credentials.mode = mode;
  const session = await ask();
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  queries.setQueryData(KEY, session);
}

export function reloadSession(): Promise<void> {
  return queries.invalidateQueries({ queryKey: KEY });
}
