import { expect, test } from "vitest";
import { bySecond, perSecond } from "./seconds";

const at = (second: number) => new Date(second * 1000).toISOString();

test("what the API counted and what events said are one row, and nothing counts twice", () => {
  const counted = { since: at(90), until: new Date(100_500).toISOString(), seconds: [{ at: at(98), orders: 1, units: 2 }, { at: at(100), orders: 3, units: 3 }] };
  const ticks = [{ at: 100_400, units: 9 }, { at: 101_200, units: 4 }, { at: 101_900, units: 1 }];
  expect(bySecond(counted, ticks, 102, 6)).toEqual([0, 2, 0, 3, 5, 0]);
});

test("what lies before the row is left out", () => {
  const counted = { since: at(0), until: at(10), seconds: [{ at: at(5), orders: 1, units: 7 }] };
  expect(bySecond(counted, [], 60, 3)).toEqual([0, 0, 0]);
});

test("a rate is of the last seconds", () => {
  const ticks = [{ at: 1_000, units: 50 }, { at: 8_000, units: 10 }, { at: 9_900, units: 6 }];
  expect(perSecond(ticks, 10_000, 5)).toBe(3.2);
});
