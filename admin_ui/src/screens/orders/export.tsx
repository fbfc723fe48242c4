import { DownloadOutlined } from "@ant-design/icons";
import { Button, Drawer, Radio } from "antd";
import { useState } from "react";
import { download, useExportOrders, useOrderExports, type OrderExport } from "../../api/order_exports";
import type { OrderQuery } from "../../api/orders";
import { useWords } from "../../shell/words";
import { Job } from "../../ui/job";
import { Moment } from "../../ui/moment";
import { useSay } from "../../ui/say";

/** Exactly what is filtered, made in the background; earlier files until they expire. */
export function ExportDrawer({ open, onClose, query }: { open: boolean; onClose: () => void; query: OrderQuery }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const [format, setFormat] = useState<"csv" | "xlsx">("xlsx");
  const ask = useExportOrders();
  const { data: exports } = useOrderExports(open);
  const start = () => ask.mutate({ format, query }, { onError: say.problem });
  return (
    <Drawer open={open} onClose={onClose} title={t("export.title")} size={460}>
      <div className="stack">
        <p style={{ margin: 0 }}>{t("export.text")}</p>
        <div className="row">
          <Radio.Group
            aria-label={t("export.format")} value={format} onChange={(event) => setFormat(event.target.value as "csv" | "xlsx")}
            options={[{ value: "xlsx", label: t("export.xlsx") }, { value: "csv", label: t("export.csv") }]}
          />
          <Button type="primary" loading={ask.isPending} onClick={start}>
            {t("export.start")}
          </Button>
        </div>
        <h2 style={{ fontSize: 15, margin: "8px 0 0" }}>{t("export.recent")}</h2>
        {exports?.length === 0 && <span className="muted">{t("export.none")}</span>}
        {exports?.map((each) => <Made key={each.id} made={each} />)}
      </div>
    </Drawer>
  );
}

function Made({ made }: { made: OrderExport }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const format = made.format ?? "csv";
  const take = () => void download(`/v1/order-exports/${made.id}/file`, `orders-${made.created_at.slice(0, 10)}.${format}`).catch(say.problem);
  return (
    <section aria-label={made.id}>
      <div className="row" style={{ justifyContent: "space-between" }}>
        <span>
          {format.toUpperCase()} · <Moment at={made.created_at} />
        </span>
        {made.state === "expired" && <span className="muted">{t("export.expired")}</span>}
      </div>
      {made.state !== "expired" && (
        <Job
          state={made.state === "done" ? "done" : "running"} done={made.rows} total={made.state === "done" ? made.rows : null} startedAt={made.created_at}
          result={
            made.state === "done" && (
              <Button icon={<DownloadOutlined />} onClick={take} style={{ alignSelf: "flex-start" }}>
                {t("export.file")} · {t("export.rows", { n: made.rows })}
              </Button>
            )
          }
        />
      )}
    </section>
  );
}
