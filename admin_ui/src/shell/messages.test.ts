import { describe, expect, it } from "vitest";
import { messageOf } from "./messages";

describe("a message", () => {
  it("takes its values, numbers with separators", () => expect(messageOf("{n} of {all}", "en", { n: 1200, all: "x" })).toBe("1,200 of x"));
  it("is chosen by number", () => {
    const rows = { one: "{n} row", other: "{n} rows" };
    expect([0, 1, 2].map((n) => messageOf(rows, "en", { n }))).toEqual(["0 rows", "1 row", "2 rows"]);
    expect(messageOf(rows, "zh-CN", { n: 1 })).toBe("1 rows");
  });
  it("shows a name nobody gave", () => expect(messageOf("{who}", "en")).toBe("{who}"));
});
