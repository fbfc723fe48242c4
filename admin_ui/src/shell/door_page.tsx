import type { ReactNode } from "react";
import { LanguageSwitch, SchemeSwitch } from "./switches";

/** What stands before the console: the mark, one card, and how to read it. */
export function DoorPage({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="door">
      <div className="door-box">
        <h1 className="door-brand">
          <img src="/console/favicon.svg" alt="" />
          {title}
        </h1>
        {children}
        <div className="door-foot" style={{ justifyContent: "center" }}>
          <LanguageSwitch />
          <SchemeSwitch />
        </div>
      </div>
    </main>
  );
}
