import { useLocation } from "react-router";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { PageTabs } from "@/ui";

/** The pages of prices. */
export function PriceTabs() {
  const t = useWords("prices");
  const may = useMay();
  const { pathname } = useLocation();
  const paths = ["/prices", "/prices/groups", ...(may("prices:write") ? ["/prices/import"] : [])];
  return <PageTabs label={t("title")} current={pathname} pages={Object.fromEntries(paths.map((path) => [path, t(`tab.${path.split("/")[2] ?? "lists"}`)]))} />;
}
