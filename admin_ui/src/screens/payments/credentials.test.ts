import { expect, it } from "vitest";
import { pasted } from "./credentials";

it("takes what a provider's console hands out, and nothing else", () => {
  expect(pasted('{"mch_id": "19", "api_v3_key": "k", "name": "x", "serial_no": 5}')).toEqual({ mch_id: "19", api_v3_key: "k" });
  for (const none of ["", "[]", "null", "{", '{"name": "x"}']) expect(pasted(none)).toBeNull();
});
