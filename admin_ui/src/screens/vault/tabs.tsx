import { Tabs } from "antd";
import { useLocation, useNavigate } from "react-router";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";

const TABS: [string, string, string][] = [
  ["/vault", "tab.stock", "vault:read"],
  ["/vault/units", "tab.units", "vault:read"],
  ["/vault/imports", "tab.imports", "vault:read"],
  ["/vault/batches", "tab.batches", "vault:read"],
  ["/vault/exports", "tab.exports", "codes:export"],
  ["/vault/watches", "tab.watches", "vault:read"],
  ["/vault/keys", "tab.keys", "vault:read"],
];

/** The pages of the vault, one beside the other. */
export function VaultTabs() {
  const t = useWords("vault");
  const may = useMay();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const items = TABS.filter(([, , permission]) => may(permission)).map(([key, words]) => ({ key, label: t(words) }));
  return <Tabs activeKey={pathname} items={items} onChange={(key) => void navigate(key)} style={{ marginTop: -8 }} />;
}
