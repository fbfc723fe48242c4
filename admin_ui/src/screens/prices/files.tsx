import { Button } from "antd";
import { sendPrices, type PriceReport } from "@/api/prices";
import { queries } from "@/api/query";
import { useWords } from "@/shell/words";
import { FileImport } from "@/screens/skus/file_import";
import { Page } from "@/ui";
import { csvOf, download } from "@/ui/csv";
import { PriceTabs } from "./tabs";

/** Prices of many lists from a spreadsheet, all of them or none. */
export default function PriceFiles() {
  const t = useWords("prices");
  const load = async (file: File): Promise<PriceReport> => {
    const report = await sendPrices("imports", file);
    for (const noun of ["prices", "price-history"]) void queries.invalidateQueries({ queryKey: [noun] });
    return report;
  };
  const figures = (report: PriceReport): [string, number][] => [[t("file.set"), report.set], [t("file.unchanged"), report.unchanged]];
  const template = () => download("prices.csv", csvOf([["list", "reference", "least_quantity", "price"], [t("file.example"), "VIP-12", 1, "188.00"], [t("file.example"), "VIP-12", 100, "180.00"]]));
  return (
    <Page title={t("title")} about={t("about")}>
      <PriceTabs />
      <FileImport
        look={(file) => sendPrices("previews", file)} load={load} figures={figures}
        help={<p>{t("file.help")} <Button type="link" size="small" onClick={template}>{t("file.template")}</Button></p>}
      />
    </Page>
  );
}
