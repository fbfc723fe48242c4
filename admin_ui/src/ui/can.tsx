import type { ReactNode } from "react";
import { useMay } from "../shell/session";

/** Shown to who has the permission. The API decides anyway; this spares people buttons that would refuse them. */
export function Can({ permission, children, otherwise = null }: { permission: string; children: ReactNode; otherwise?: ReactNode }) {
  const may = useMay();
  return <>{may(permission) ? children : otherwise}</>;
}
