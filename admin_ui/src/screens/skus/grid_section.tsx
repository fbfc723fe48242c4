import { Alert, Button, Dropdown } from "antd";
import { useCallback, type ReactNode } from "react";
import { Link } from "react-router";
import type { Sku } from "@/api/skus";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { SaveBar, useSay } from "@/ui";
import { allWrong, dirty, type Row } from "./grid";
import { GridTable } from "./grid_table";
import { useGrid } from "./use_grid";

export type Panel = "edit" | "shelf" | "stock" | "picks" | "history" | "words";

interface Props {
  skus: Sku[];
  /** Across products a row says whose it is. */
  withProduct: boolean;
  onOpen: (sku: Sku, panel: Panel) => void;
  children?: ReactNode;
}

/** A grid of SKUs, and the bar that saves what was changed in it. */
export function GridSection({ skus, withProduct, onOpen, children }: Props) {
  const t = useWords("skus");
  const say = useSay("skus");
  const may = useMay();
  const work = useGrid(skus);
  const { rows, cells } = dirty(work.grid);
  const wrong = allWrong(work.grid, work.stateWords);
  const conflicts = Object.keys(work.grid.conflicts).length;
  const save = async () => {
    const came = await work.save();
    if (came === "saved") say.done(t("grid.saved", { n: rows }));
    if (came === "wrong") document.querySelector<HTMLElement>(".grid-box td.wrong")?.scrollIntoView({ block: "nearest" });
  };
  const head = useCallback(
    (row: Row) => {
      const sku = skus.find((each) => each.id === row.id);
      const choices = Object.values(sku?.choices ?? {}).join(" / ");
      return (
        <>
          {withProduct && sku && <Link to={`/products/${sku.product_id}`} className="grid-sub">{sku.product_name}</Link>}
          <button type="button" className="grid-link" onClick={() => sku && onOpen(sku, "edit")}>{choices || row.base.name}</button>
        </>
      );
    },
    [skus, withProduct, onOpen],
  );
  const tail = useCallback(
    (row: Row) => {
      const sku = skus.find((each) => each.id === row.id);
      if (!sku) return null;
      const panels: Panel[] = ["edit", "shelf", "stock", "picks", "history", "words"];
      return (
        <Dropdown menu={{ items: panels.map((panel) => ({ key: panel, label: t(`panel.${panel}`), onClick: () => onOpen(sku, panel) })) }} trigger={["click"]}>
          <Button size="small" aria-label={t("grid.more", { name: row.base.name })}>{t("column.more")}</Button>
        </Dropdown>
      );
    },
    [skus, onOpen, t("column.more")],
  );
  return (
    <div>
      {conflicts > 0 && <Alert type="error" showIcon title={t("conflict.some", { n: conflicts })} style={{ marginBottom: 12 }} />}
      {wrong.length > 0 && <Alert type="warning" showIcon title={t("grid.wrong", { n: wrong.length })} style={{ marginBottom: 12 }} />}
      {children}
      <GridTable
        work={work} head={head} tail={tail} readOnly={!may("catalog:write")} onSave={() => void save()}
        onPasted={(taken, outside) => (outside ? say.problem(new Error(t("grid.outside", { n: outside }))) : say.done(t("grid.pasted", { n: taken })))}
      />
      {rows > 0 && <p className="muted" role="status">{t("grid.changed", { n: cells, m: rows })}</p>}
      <SaveBar dirty={rows > 0} saving={work.saving} error={work.error} onSave={() => void save()} onDiscard={work.discard} />
    </div>
  );
}
