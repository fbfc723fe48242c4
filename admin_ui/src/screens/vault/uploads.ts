import { useSyncExternalStore } from "react";
import { Problem } from "@/api/problem";
import { queries } from "@/api/query";
import { latestImports, loadCodes, resumeImport, type Origin, type Report, type Wishes } from "@/api/vault";

/**
 * Files on their way into the vault. They belong to the console, not to a page: leaving the page leaves them running. The server says how
 * far each is; who closes the browser leaves an import that is resumed with the same file.
 */
export interface Upload {
  key: string;
  skuId: string;
  filename: string;
  /** Lines of the file, as the preview counted them; null when nobody counted. */
  total: number | null;
  startedAt: string;
  state: "running" | "done" | "failed";
  importId: string | null;
  done: number;
  report: Report | null;
  problem: Problem | null;
}

interface Wish {
  file: File;
  skuId: string;
  total: number | null;
  origin?: Origin;
  wishes?: Wishes;
  /** Goes on with this one. */
  importId?: string;
}

const LOOK_MS = 700;
const SKEW_MS = 120_000; // of this clock and the server's
let all: Upload[] = [];
const listeners = new Set<() => void>();
const wishes = new Map<string, Wish>();

function change(key: string, values: Partial<Upload>): void {
  all = all.map((each) => (each.key === key ? { ...each, ...values } : each));
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useUploads(): Upload[] {
  return useSyncExternalStore(subscribe, () => all);
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function mind(): void {
  const isBusy = all.some((each) => each.state === "running");
  if (isBusy) window.addEventListener("beforeunload", warn);
  else window.removeEventListener("beforeunload", warn);
}

/** Begins, and answers by which key it is known from then on. */
export function startUpload(wish: Wish): string {
  const key = crypto.randomUUID();
  wishes.set(key, wish);
  const upload: Upload = {
    key, skuId: wish.skuId, filename: wish.file.name, total: wish.total, startedAt: new Date().toISOString(), state: "running",
    importId: wish.importId ?? null, done: 0, report: null, problem: null,
  };
  all = [upload, ...all];
  for (const tell of listeners) tell();
  void run(key, wish);
  return key;
}

/** After a lost connection: the same file with the same key goes on where it was. */
export function retryUpload(key: string): void {
  const wish = wishes.get(key);
  if (!wish) return;
  change(key, { state: "running", problem: null, startedAt: new Date().toISOString() });
  void run(key, wish);
}

export function dismissUpload(key: string): void {
  all = all.filter((each) => each.key !== key);
  wishes.delete(key);
  for (const tell of listeners) tell();
}

async function run(key: string, wish: Wish): Promise<void> {
  mind();
  const timer = setInterval(() => void look(key), LOOK_MS);
  try {
    const report = wish.importId
      ? await resumeImport(wish.importId, wish.file)
      : await loadCodes(wish.file, wish.skuId, wish.origin ?? {}, wish.wishes ?? {}, key);
    wishes.delete(key);
    change(key, { state: "done", report, importId: report.id, done: report.lines, total: report.lines });
  } catch (error) {
    change(key, { state: "failed", problem: Problem.from(error) });
  } finally {
    clearInterval(timer);
    mind();
    for (const noun of ["imports", "batches", "units", "skus", "watches"]) void queries.invalidateQueries({ queryKey: [noun] });
  }
}

let looking = false;

async function look(key: string): Promise<void> {
  const upload = all.find((each) => each.key === key);
  if (!upload || upload.state !== "running" || looking) return;
  looking = true;
  try {
    const found = (await latestImports(10)).find((each) => (upload.importId ? each.id === upload.importId : isIt(each, upload)));
    if (found && all.find((each) => each.key === key)?.state === "running") change(key, { importId: found.id, done: found.lines });
  } catch {
    // How far it is will be told the next time.
  } finally {
    looking = false;
  }
}

function isIt(report: Report, upload: Upload): boolean {
  const isNew = new Date(report.created_at).getTime() >= new Date(upload.startedAt).getTime() - SKEW_MS;
  const isOthers = all.some((each) => each.key !== upload.key && each.importId === report.id);
  return report.sku_id === upload.skuId && report.filename === upload.filename && report.state === "loading" && isNew && !isOthers;
}
