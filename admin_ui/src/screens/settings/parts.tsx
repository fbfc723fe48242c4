import { Card } from "antd";
import { useState, type ReactNode } from "react";
import { useLocation } from "react-router";
import { useChangeStore, useStore, type Store, type StoreChange } from "@/api/store";
import { queries } from "@/api/query";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Page, PageTabs, ProblemNote, SaveBar, useSay } from "@/ui";

const TABS: Record<string, string> = {
  "/settings": "tab.branding",
  "/settings/policies": "tab.policies",
  "/settings/regional": "tab.regional",
  "/settings/closing": "tab.closing",
  "/settings/domains": "tab.domains",
  "/settings/channels": "tab.channels",
  "/settings/data": "tab.data",
  "/settings/qualifications": "tab.qualifications",
};

export function SettingsPage({ children, primary }: { children: ReactNode; primary?: ReactNode }) {
  const t = useWords("settings");
  const may = useMay();
  const { pathname } = useLocation();
  const shown = Object.entries(TABS).filter(([path]) => path !== "/settings/qualifications" || may("qualifications:write"));
  return (
    <Page title={t("title")} primary={primary}>
      <PageTabs pages={Object.fromEntries(shown.map(([path, key]) => [path, t(key)]))} current={pathname} label={t("title")} />
      {children}
    </Page>
  );
}

export interface Draft {
  /** The store as it would be after saving. */
  store: Store;
  set: <Name extends keyof StoreChange>(name: Name, value: StoreChange[Name]) => void;
  disabled: boolean;
}

/** A page of settings: its fields show a draft, and one bar saves what differs. Only the differences are sent, so nobody's other change is undone. */
export function DraftPage({ children }: { children: (draft: Draft) => ReactNode }) {
  const t = useWords("settings");
  const may = useMay();
  const say = useSay("settings");
  const read = useStore();
  const change = useChangeStore();
  const [changes, setChanges] = useState<StoreChange>({});
  if (read.isError) return <SettingsPage><ProblemNote error={read.error} /></SettingsPage>;
  if (read.data === undefined) return <SettingsPage><Card loading /></SettingsPage>;
  const { value, etag } = read.data;
  const set: Draft["set"] = (name, wanted) =>
    setChanges((was) => {
      const next = { ...was, [name]: wanted };
      if (JSON.stringify(wanted) === JSON.stringify(value[name as keyof Store])) delete next[name];
      return next;
    });
  const discard = () => {
    setChanges({});
    change.reset();
  };
  const save = () =>
    void change.mutateAsync({ etag, changes }).then(
      () => {
        discard();
        say.done(t("saved"));
      },
      () => undefined,
    );
  const reload = () => void queries.invalidateQueries({ queryKey: ["store"] }).then(() => change.reset());
  return (
    <SettingsPage>
      {children({ store: { ...value, ...(changes as Partial<Store>) }, set, disabled: !may("store:write") })}
      <SaveBar dirty={Object.keys(changes).length > 0} saving={change.isPending} error={change.error} onSave={save} onDiscard={discard} onReload={reload} />
    </SettingsPage>
  );
}

/** A field with its label above and a word about it below. */
export function Field({ label, about, children, id }: { label: string; about?: string; children: ReactNode; id?: string }) {
  return (
    <div style={{ display: "flex", flexDirection: "column", gap: 4 }}>
      <label style={{ fontWeight: 500 }} htmlFor={id}>{label}</label>
      {children}
      {about !== undefined && <span className="muted" style={{ fontSize: 13 }}>{about}</span>}
    </div>
  );
}
