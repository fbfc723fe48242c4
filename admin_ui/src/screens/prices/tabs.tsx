import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { PageTabs } from "@/ui/page_tabs";

/** The pages of prices. */
export function PriceTabs() {
  const t = useWords("prices");
  const may = useMay();
  const paths = ["/prices", "/prices/groups", ...(may("prices:write") ? ["/prices/import"] : [])];
  return <PageTabs label={t("title")} tabs={paths.map((path) => ({ path, title: t(`tab.${path.split("/")[2] ?? "lists"}`) }))} />;
}
