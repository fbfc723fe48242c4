import { Button, Card, Skeleton } from "antd";
import { useState } from "react";
import { useSnapshot, type Snapshot } from "../../api/orders";
import { useLanguage, useWords } from "../../shell/words";
import { Money } from "../../ui/money";
import { ProblemNote } from "../../ui/problem";
import { StoreImage } from "../../ui/store_image";

/** What the shopper saw when he ordered, fetched when somebody wants to know. */
export function SnapshotSection({ id }: { id: string }) {
  const t = useWords("orders");
  const [wanted, setWanted] = useState(false);
  const { data, isLoading, isError, error } = useSnapshot(id, wanted);
  return (
    <Card size="small" title={t("section.snapshot")}>
      {!wanted && <Button onClick={() => setWanted(true)}>{t("snapshot.show")}</Button>}
      {isLoading && <Skeleton active />}
      {isError && <ProblemNote error={error} noun="orders" />}
      {data && (
        <div className="stack">
          <span className="muted">{t("snapshot.about")}</span>
          {data.lines.map((line) => (
            <SnapshotLine key={line.sale_id} line={line} currency={data.currency} />
          ))}
        </div>
      )}
    </Card>
  );
}

function SnapshotLine({ line, currency }: { line: Snapshot["lines"][number]; currency: string }) {
  const t = useWords("orders");
  const { language } = useLanguage();
  const { product, sku, priced_by: by } = line;
  if (product === null || sku === null) return <span className="muted">{t("snapshot.unknown")}</span>;
  const shown = product.translations[language];
  const choices = Object.entries(sku.choices).map(([name, choice]) => `${name}: ${choice}`);
  return (
    <section>
      <strong>{shown?.name ?? product.name}</strong> {[sku.translations[language] ?? sku.name, ...choices, sku.face_value].filter(Boolean).join(" · ")}
      <div className="row muted">
        <Money minor={line.unit_price_minor} currency={currency} /> × {line.quantity}
        <span>{by === null ? t("snapshot.own_price") : t("snapshot.priced_by", { list: by.list_name, n: by.least_quantity })}</span>
      </div>
      <p style={{ whiteSpace: "pre-wrap", margin: "6px 0 0", overflowWrap: "anywhere" }}>{shown?.description ?? product.description}</p>
      {sku.usage_note && (
        <p className="muted" style={{ whiteSpace: "pre-wrap", margin: "6px 0 0" }}>
          {t("snapshot.usage")}: {sku.usage_note}
        </p>
      )}
      {product.images.length > 0 && (
        <div className="row" style={{ marginTop: 8 }}>
          {product.images.map((path) => (
            <StoreImage key={path} path={path} alt="" style={{ width: 72, height: 72, objectFit: "cover", borderRadius: 6 }} />
          ))}
        </div>
      )}
    </section>
  );
}
