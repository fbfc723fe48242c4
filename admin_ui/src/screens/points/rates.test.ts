import { expect, test } from "vitest";
import { perUnit } from "./rates";

test("there and back, in currencies with and without decimals", () => {
  for (const [currency, minor, shown] of [["CNY", 100, 1], ["CNY", 33, 0.33], ["JPY", 100, 100]] as const) {
    expect(perUnit.shown(minor, currency)).toBe(shown);
    expect(perUnit.minor(shown, currency)).toBe(minor);
  }
});

test("never nothing", () => {
  expect(perUnit.minor(0, "CNY")).toBe(1);
});
