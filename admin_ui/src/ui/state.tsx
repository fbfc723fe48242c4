import { Tag } from "antd";
import { useWords } from "../shell/words";

export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

const COLORS: Record<Tone, string> = { good: "success", busy: "processing", warn: "warning", bad: "error", plain: "default" };

/** Every state of every noun and how it is to be felt. A state that is not here is plain. */
const TONES: Record<string, Record<string, Tone>> = {
  order: { pending: "warn", reserved: "warn", paying: "busy", paid: "busy", delivered: "good", refunded: "plain", refunding: "busy", expired: "plain", cancelled: "plain", failed: "bad" },
  sale: { draft: "plain", not_started: "warn", open: "good", paused: "warn", sold_out: "plain", ended: "plain" },
  product: { draft: "plain", active: "good", published: "good", on_shelf: "good", off_shelf: "plain", archived: "plain", scheduled: "warn", in_review: "busy", rejected: "bad" },
  unit: { available: "good", held: "warn", allotted: "busy", sold: "plain", frozen: "bad", void: "bad", expired: "plain" },
  batch: { running: "busy", done: "good", complete: "good", failed: "bad", aborted: "bad" },
  job: { waiting: "warn", running: "busy", done: "good", failed: "bad", refused: "bad" },
  delivery: { waiting: "busy", delivered: "good", sent: "good", failed: "bad", given_up: "bad", pending: "busy" },
  endpoint: { enabled: "good", disabled: "bad", failing: "warn", paused: "warn" },
  domain: { pending: "warn", verified: "good", active: "good", failed: "bad", lost: "bad" },
  key: { active: "good", revoked: "bad", expired: "plain", rotating: "warn" },
  qualification: { draft: "plain", submitted: "warn", in_review: "busy", approved: "good", rejected: "bad", expired: "plain", revoked: "bad" },
  request: { waiting: "warn", running: "busy", done: "good", failed: "bad", cancelled: "plain" },
};

export function toneOf(kind: string, value: string): Tone {
  return TONES[kind]?.[value] ?? "plain";
}

/** A state in words and colour. The words are `state.<kind>.<value>` in `noun`'s catalogue (or in `ui`). */
export function State({ kind, value, noun = "ui", tone }: { kind: string; value: string; noun?: string; tone?: Tone }) {
  const t = useWords(noun);
  const key = `state.${kind}.${value}`;
  const words = t(key);
  return <Tag color={COLORS[tone ?? toneOf(kind, value)]}>{words === key ? value : words}</Tag>;
}
