import { Tabs } from "antd";
import { useLocation, useNavigate } from "react-router";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";

export function PriceTabs() {
  const t = useWords("prices");
  const may = useMay();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const items = ["/prices", "/prices/groups", ...(may("prices:write") ? ["/prices/import"] : [])];
  return <Tabs activeKey={pathname} style={{ marginTop: -8 }} items={items.map((key) => ({ key, label: t(`tab.${key.split("/")[2] ?? "lists"}`) }))} onChange={(key) => void navigate(key)} />;
}
