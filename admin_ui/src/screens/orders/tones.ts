import type { Tone } from "../../ui/state";

const ORDER: Record<string, Tone> = {
  awaiting: "warn", closing: "busy", paid: "busy", delivered: "good", refunding: "busy", refused: "bad",
};
const UNIT: Record<string, Tone> = { held: "warn", waiting: "busy", delivered: "good" };
const REFUND: Record<string, Tone> = { requested: "busy", succeeded: "good", failed: "bad" };
const PAYMENT: Record<string, Tone> = { applied: "good", late: "warn", double: "warn", mismatch: "bad" };

const TONES: Record<string, Record<string, Tone>> = { order: ORDER, unit: UNIT, refund: REFUND, payment: PAYMENT };

export function tone(kind: keyof typeof TONES, value: string): Tone {
  return TONES[kind]?.[value] ?? "plain";
}
