import { createContext, useContext, type ReactNode } from "react";
import type { Session } from "../api/session";

export type SignedIn = Session & { who: NonNullable<Session["who"]>; store: NonNullable<Session["store"]> };

const Context = createContext<SignedIn | null>(null);

export function SessionProvider({ session, children }: { session: SignedIn; children: ReactNode }) {
  return <Context value={session}>{children}</Context>;
}

/** Who is signed in, at which store, in which mode. */
export function useSession(): SignedIn {
  const session = useContext(Context);
  if (session === null) throw new Error("this is for those who are signed in");
  return session;
}

export function useMay(): (permission: string | undefined) => boolean {
  const { permissions } = useSession();
  return (permission) => permission === undefined || permissions.includes(permission);
}
