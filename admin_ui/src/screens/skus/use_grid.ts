import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { askSkus, changeSkus, ROWS_MAX, type Sku } from "@/api/skus";
import { Problem } from "@/api/problem";
import { useWords } from "@/shell/words";
import { allWrong, discard, EMPTY, refreshed, refused, saved, STATES, undo, wanted, type Grid } from "./grid";

interface Refusal {
  sku_id: string;
  code: string;
  why: string;
}

export interface GridWork {
  grid: Grid;
  set: (change: (grid: Grid) => Grid) => void;
  /** What states are called here, as somebody would type or paste them. */
  stateWords: Record<string, string>;
  saving: boolean;
  error: unknown;
  save: () => Promise<"saved" | "wrong" | "refused" | "failed">;
  discard: () => void;
  undo: () => void;
}

/** The rows of a list, and what is edited in them. Reading the list again loses nothing. */
export function useGrid(skus: Sku[] | undefined): GridWork {
  const t = useWords("skus");
  const client = useQueryClient();
  const [grid, setGrid] = useState<Grid>(EMPTY);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const stateWords = useMemo(() => Object.fromEntries(STATES.map((state) => [t(`state.sku.${state}`), state])), [t("state.sku.draft")]);
  useEffect(() => {
    if (skus) setGrid((now) => refreshed(now, skus));
  }, [skus]);

  const save = async () => {
    setError(null);
    if (allWrong(grid, stateWords).length > 0) return "wrong";
    const rows = wanted(grid, stateWords);
    setSaving(true);
    try {
      for (let at = 0; at < rows.length; at += ROWS_MAX) {
        const done = await changeSkus(rows.slice(at, at + ROWS_MAX));
        setGrid((now) => saved(now, done));
      }
      return "saved";
    } catch (failure) {
      const problem = Problem.from(failure);
      if (problem.code !== "changes_refused") {
        setError(failure);
        return "failed";
      }
      const problems = problem.extra["problems"] as Refusal[];
      const late = problems.filter((each) => each.code === "precondition_failed").map((each) => each.sku_id);
      const theirs: Sku[] = [];
      for (let at = 0; at < late.length; at += 100) theirs.push(...(await askSkus({ ids: late.slice(at, at + 100).join(","), limit: 100 })).rows);
      setGrid((now) => refused(now, problems, theirs));
      return "refused";
    } finally {
      setSaving(false);
      void client.invalidateQueries({ queryKey: ["skus"] });
      void client.invalidateQueries({ queryKey: ["sku-names"] });
    }
  };
  return {
    grid, set: (change) => setGrid(change), stateWords, saving, error, save,
    discard: () => {
      setError(null);
      setGrid(discard);
    },
    undo: () => setGrid(undo),
  };
}
