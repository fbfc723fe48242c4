import { describe, expect, it } from "vitest";
import { minorOf, moneyText } from "./money";

describe("money", () => {
  it.each([
    ["19.9", "CNY", 1990],
    ["0.01", "CNY", 1],
    ["1,200", "CNY", 120_000],
    ["500", "JPY", 500],
  ])("reads %s %s", (text, currency, minor) => expect(minorOf(text, currency)).toBe(minor));
  it.each([["1.005", "CNY"], ["1.5", "JPY"], ["", "CNY"], ["-1", "CNY"], ["1e3", "CNY"], ["abc", "CNY"]])("refuses %s %s", (text, currency) => expect(minorOf(text, currency)).toBeNull());
  it("is shown with separators", () => expect(moneyText(123_456_700, "CNY", "zh-CN")).toBe("¥1,234,567.00"));
  it("has no digits after a yen", () => expect(moneyText(500, "JPY", "en")).toBe("¥500"));
});
