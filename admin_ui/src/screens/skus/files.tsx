import { Alert, Button, Card, Tabs } from "antd";
import { useEffect, useRef, useState } from "react";
import { useCategories } from "@/api/categories";
import { queries } from "@/api/query";
import { sendCatalog, type CatalogReport } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Job, Page, ProblemNote } from "@/ui";
import { csvOf, download } from "@/ui/csv";
import { catalogFile, readCatalog } from "./catalog_file";
import { FileImport } from "./file_import";

/** The catalogue out to a spreadsheet, and in again. */
export default function Files() {
  const t = useWords("skus");
  const may = useMay();
  const figures = (report: CatalogReport): [string, number][] =>
    (["products_created", "products_changed", "skus_created", "skus_changed", "skus_unchanged"] as const).map((name) => [t(`files.${name}`), report[name]]);
  const template = () => download("template.csv", csvOf([["reference", "product_reference", "product_name", "name", "price", "cost", "state"], ["VIP-12", "VIP", t("files.example_product"), t("files.example_sku"), "198.00", "120.00", "published"]]));
  const load = async (file: File) => {
    const report = await sendCatalog("imports", file);
    for (const noun of ["products", "skus", "categories"]) void queries.invalidateQueries({ queryKey: [noun] });
    return report;
  };
  return (
    <Page title={t("files.title")} about={t("files.about")} back="/skus">
      <Tabs
        items={[
          ...(may("catalog:write")
            ? [{
                key: "in", label: t("files.in"),
                children: <FileImport look={(file) => sendCatalog("previews", file)} load={load} figures={figures} help={<p>{t("files.help")} <Button type="link" size="small" onClick={template}>{t("files.template")}</Button></p>} />,
              }]
            : []),
          { key: "out", label: t("files.out"), children: <Export /> },
        ]}
      />
    </Page>
  );
}

function Export() {
  const t = useWords("skus");
  const categories = useCategories().data;
  const [job, setJob] = useState<{ state: "running" | "done" | "failed"; done: number; error?: unknown; startedAt: string } | null>(null);
  const over = useRef(false);
  useEffect(() => {
    over.current = false;
    return () => {
      over.current = true;
    };
  }, []);
  const run = async () => {
    const startedAt = new Date().toISOString();
    setJob({ state: "running", done: 0, startedAt });
    try {
      const { skus, products } = await readCatalog((done) => !over.current && setJob({ state: "running", done, startedAt }), () => over.current);
      if (over.current) return;
      download(`catalog-${startedAt.slice(0, 10)}.csv`, catalogFile(skus, products, categories ?? []));
      setJob({ state: "done", done: skus.length, startedAt });
    } catch (error) {
      setJob({ state: "failed", done: 0, error, startedAt });
    }
  };
  return (
    <Card size="small">
      <div className="stack" style={{ gap: 12 }}>
        <span>{t("files.out_text")}</span>
        <Alert type="info" showIcon title={t("files.out_note")} />
        <Button type="primary" disabled={!categories || job?.state === "running"} onClick={() => void run()} style={{ alignSelf: "start" }}>{t("files.out_start")}</Button>
        {job && <Job state={job.state} done={job.done} total={job.state === "done" ? job.done : null} startedAt={job.startedAt} />}
        {job?.error !== undefined && <ProblemNote error={job.error} noun="skus" />}
      </div>
    </Card>
  );
}
