import { expect, it } from "vitest";
import { mayErase, proofOf } from "./erasing";

it("asks for the end of the very id", () => {
  expect(proofOf("shp_0123456789abcdef0123456789abcdef")).toBe("abcdef");
});

it("does not offer what the API refuses", () => {
  expect(mayErase({ unfinished: 1, erased_at: null })).toBe("unfinished");
  expect(mayErase({ unfinished: 0, erased_at: null })).toBe("yes");
  expect(mayErase({ unfinished: 0, erased_at: "2026-11-23T00:00:00Z" })).toBe("done");
});
