import { useLocation } from "react-router";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { PageTabs } from "@/ui";

const TABS: [string, string, string][] = [
  ["/vault", "tab.stock", "vault:read"],
  ["/vault/units", "tab.units", "vault:read"],
  ["/vault/imports", "tab.imports", "vault:read"],
  ["/vault/batches", "tab.batches", "vault:read"],
  ["/vault/exports", "tab.exports", "codes:export"],
  ["/vault/watches", "tab.watches", "vault:read"],
  ["/vault/keys", "tab.keys", "vault:read"],
];

/** The pages of the vault. */
export function VaultTabs() {
  const t = useWords("vault");
  const may = useMay();
  const { pathname } = useLocation();
  return <PageTabs label={t("title")} current={pathname} pages={Object.fromEntries(TABS.filter(([, , permission]) => may(permission)).map(([path, words]) => [path, t(words)]))} />;
}
