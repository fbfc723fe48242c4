import { describe, expect, test } from "vitest";
import { missing } from "../src/screens/skus/combine";
import { begun, fieldsOf, told, type Schema } from "../src/screens/skus/schema";
import { csvOf } from "../src/ui/csv";

const ROOT: Schema = {
  $ref: "#/$defs/Config",
  $defs: {
    Config: {
      properties: {
        credited: { type: "string" },
        days: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], default: null },
        period: { enum: ["day", "month"], default: "month" },
        fields: { type: "array", items: { $ref: "#/$defs/Field" }, minItems: 1 },
      },
      required: ["credited"],
    },
    Field: { type: "object", properties: { name: { type: "string" }, label: { type: "object" }, required: { type: "boolean", default: true } }, required: ["name", "label"] },
  },
};

describe("what a type is told", () => {
  const fields = fieldsOf(ROOT);

  test("fields of a form by the schema", () => {
    expect(fields.map(({ name, kind, required, nullable }) => [name, kind, required, nullable])).toEqual([
      ["credited", "text", true, false], ["days", "count", false, true], ["period", "choice", false, false], ["fields", "list", false, false],
    ]);
    expect(fields[3]!.items.map((each) => each.kind)).toEqual(["text", "names", "switch"]);
  });

  test("begins with the defaults", () => expect(begun(fields)).toEqual({ period: "month" }));

  test("what was left empty is left out, or null where null says none", () => {
    expect(told(fields, { credited: "100", days: null, period: "month", fields: [] })).toEqual({ credited: "100", days: null, period: "month" });
    expect(told(fields, { credited: "", fields: [{ name: "account", label: { en: "Account", "zh-CN": " " }, required: false }] })).toEqual({
      days: null, fields: [{ name: "account", label: { en: "Account" }, required: false }],
    });
  });
});

test("combinations that no SKU has", () => {
  const options = [{ name: "a", values: ["1", "2"] }, { name: "b", values: ["x", "y"] }];
  expect(missing(options, [{ a: "1", b: "x" }, { b: "y", a: "2" }])).toEqual([{ a: "1", b: "y" }, { a: "2", b: "x" }]);
  expect(missing([], [])).toEqual([]);
  expect(missing(options, [], 3)).toHaveLength(3);
});

test("a cell is shown and never computed", () => {
  expect(csvOf([["=1+1", "a,b", 'say "x"', null, 5, "-1"], ["＝x", "two\nlines"]])).toBe(
    '\ufeff\'=1+1,"a,b","say ""x""",,5,\'-1\r\n\'＝x,"two\nlines"\r\n',
  );
});
