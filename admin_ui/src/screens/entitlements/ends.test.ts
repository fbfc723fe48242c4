import { expect, it } from "vitest";
import { mayProlong, prolonged } from "./ends";

it("counts days from the end", () => {
  expect(prolonged("2026-11-30T10:00:00Z", 7)).toBe("2026-12-07T10:00:00.000Z");
});

it("offers what can be moved", () => {
  expect(mayProlong({ type: "licence", state: "expired", valid_until: "2026-11-30T10:00:00Z" })).toBe(true);
  expect(mayProlong({ type: "licence", state: "active", valid_until: null })).toBe(false);
  expect(mayProlong({ type: "membership", state: "revoked", valid_until: "2026-11-30T10:00:00Z" })).toBe(false);
  expect(mayProlong({ type: "topup", state: "active", valid_until: "2026-11-30T10:00:00Z" })).toBe(false);
});
