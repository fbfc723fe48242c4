import { expect, it } from "vitest";
import { ageOf, claimOf, sentBack } from "./age";

const NOW = Date.parse("2026-11-23T12:00:00Z");

it("tells how pressing a line is", () => {
  expect(ageOf("2026-11-23T11:59:59Z", NOW)).toBe("late");
  expect(ageOf("2026-11-23T12:10:00Z", NOW)).toBe("soon");
  expect(ageOf("2026-11-23T13:00:00Z", NOW)).toBe("fine");
});

it("knows a claim until it ends", () => {
  expect(claimOf({ claimed_by: "usr_1", claimed_until: "2026-11-23T12:01:30Z" }, NOW)).toEqual({ by: "usr_1", minutes: 2 });
  expect(claimOf({ claimed_by: "usr_1", claimed_until: "2026-11-23T12:00:00Z" }, NOW)).toBeNull();
  expect(claimOf({ claimed_by: null, claimed_until: null }, NOW)).toBeNull();
});

it("tells a question to the shopper from another problem", () => {
  expect(sentBack("Sent back: no such account")).toBe("no such account");
  expect(sentBack("bought twice")).toBeNull();
  expect(sentBack(null)).toBeNull();
});
