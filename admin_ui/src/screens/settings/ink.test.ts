import { expect, it } from "vitest";
import { ink } from "./ink";

it.each([["#ffffff", "#000000"], ["#000000", "#ffffff"], ["#e9c46a", "#000000"], ["#0b6a57", "#ffffff"], ["#767676", "#000000"], ["#737373", "#ffffff"]])(
  "on %s it is %s, as tenants/colors.py says",
  (ground, wanted) => expect(ink(ground)).toBe(wanted),
);
