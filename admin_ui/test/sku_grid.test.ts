import { describe, expect, test } from "vitest";
import { amountText, digitsOf, parseAmount } from "../src/screens/skus/amount";
import {
  allWrong, dirty, edit, EMPTY, KEYS, paste, refreshed, refused, saved, settle, textOf, undo, wanted, type Grid, type Sku,
} from "../src/screens/skus/grid";
import { blockText, parseBlock } from "../src/screens/skus/paste";

const sku = (id: string, more: Partial<Sku> = {}): Sku =>
  ({
    id, product_id: "prd_1", name: `SKU ${id}`, price_minor: 1990, currency: "CNY", cost_minor: null, reference: null, face_value: null,
    usage_note: "", state: "published", etag: `"${id}-1"`, shelf: null, type: "code", config: {}, choices: {}, code_pattern: null, ...more,
  }) as Sku;
const gridOf = (...skus: Sku[]): Grid => refreshed(EMPTY, skus);
const PRICE = KEYS.indexOf("price_minor");

describe("amounts", () => {
  test.each([
    ["19.9", "CNY", 1990], ["¥1,299.00", "CNY", 129900], ["１２．５", "CNY", 1250], ["12元", "CNY", 1200], [" 7 ", "USD", 700],
    ["1200", "JPY", 1200], ["1200.0", "JPY", 1200], ["1.234", "KWD", 1234], ["5.", "CNY", 500], ["cny 3", "CNY", 300],
  ])("%s in %s is %i", (text, currency, minor) => expect(parseAmount(text, currency)).toEqual({ minor }));

  test.each([
    ["ten", "CNY", "amount"], ["", "CNY", "amount"], ["-1", "CNY", "amount"], ["1.2.3", "CNY", "amount"], [".5", "CNY", "amount"],
    ["1.005", "CNY", "decimals"], ["1.5", "JPY", "decimals"], ["1.2345", "KWD", "decimals"], ["1000000000.01", "CNY", "much"],
    ["1e3", "CNY", "amount"],
  ])("%s in %s is refused as %s", (text, currency, wrong) => expect(parseAmount(text, currency)).toEqual({ wrong }));

  test("as text and back", () => {
    for (const currency of ["CNY", "JPY", "KWD"])
      for (const minor of [0, 1, 9, 10, 99, 100, 12345, 100_000_000_000])
        expect(parseAmount(amountText(minor, currency), currency)).toEqual({ minor });
    expect([amountText(5, "CNY"), amountText(5, "JPY"), amountText(5, "KWD"), amountText(null, "CNY")]).toEqual(["0.05", "5", "0.005", ""]);
    expect(["CNY", "JPY", "KWD", "XYZ"].map(digitsOf)).toEqual([2, 0, 3, 2]);
  });
});

describe("blocks of a spreadsheet", () => {
  test.each<[string, string[][]]>([
    ["1\t2\n3\t4\n", [["1", "2"], ["3", "4"]]],
    ["1\r\n2\r\n", [["1"], ["2"]]],
    ["a\t\tb", [["a", "", "b"]]],
    ['"two\nlines"\t"a ""word"""', [["two\nlines", 'a "word"']]],
    ['27" screen\tx', [['27" screen', "x"]]],
    ['"27 screen\tx', [['"27 screen', "x"]]],
    ["", [[""]]],
    ["a\n\nb", [["a"], [""], ["b"]]],
  ])("%j", (text, rows) => expect(parseBlock(text)).toEqual(rows));

  test("out and in again", () => {
    const rows = [["a", "b\tc"], ['"', "d\ne"], ["", "f"]];
    expect(parseBlock(blockText(rows))).toEqual(rows);
  });
});

describe("what is changed", () => {
  test("an edit is known by what it means", () => {
    let grid = edit(gridOf(sku("1")), [{ id: "1", key: "price_minor", text: "21" }]);
    expect(dirty(grid)).toEqual({ rows: 1, cells: 1 });
    grid = edit(grid, [{ id: "1", key: "price_minor", text: "19.9" }]);
    expect(dirty(grid)).toEqual({ rows: 0, cells: 0 });
    expect(textOf(grid, grid.rows[0]!, "price_minor")).toBe("19.90");
  });

  test("what cannot be read stays as it was typed, and is not sent", () => {
    const grid = edit(gridOf(sku("1"), sku("2")), [
      { id: "1", key: "price_minor", text: "ten" }, { id: "1", key: "name", text: "x" }, { id: "2", key: "cost_minor", text: "3" },
    ]);
    expect(allWrong(grid)).toEqual([{ id: "1", key: "price_minor", wrong: "amount" }]);
    expect(textOf(grid, grid.rows[0]!, "price_minor")).toBe("ten");
    expect(wanted(grid)).toEqual([{ sku_id: "2", etag: '"2-1"', cost_minor: 300 }]);
  });

  test.each([
    ["price_minor", "0", "zero"], ["name", " ", "needed"], ["name", "x".repeat(201), "long"], ["state", "gone", "state"],
    ["limit_per_shopper", "2", "off_shelf"], ["price_minor", "1.001", "decimals"],
  ] as const)("%s %j is refused as %s", (key, text, wrong) => {
    expect(allWrong(edit(gridOf(sku("1")), [{ id: "1", key, text }])).map((each) => each.wrong)).toEqual([wrong]);
  });

  test("a limit of what is on the shelf", () => {
    const shelf = { sale_id: "s", state: "open", free: 1, limit_per_shopper: 0, takes_new_stock: false };
    const on = gridOf(sku("1", { shelf }));
    expect(wanted(edit(on, [{ id: "1", key: "limit_per_shopper", text: "2" }]))).toEqual([{ sku_id: "1", etag: '"1-1"', limit_per_shopper: 2 }]);
    expect(allWrong(edit(on, [{ id: "1", key: "limit_per_shopper", text: "1001" }]))[0]?.wrong).toBe("count");
  });

  test("states in the reader's words; emptied cells are null", () => {
    const grid = edit(gridOf(sku("1", { reference: "R" })), [
      { id: "1", key: "state", text: "草稿" }, { id: "1", key: "reference", text: "" },
    ], { 草稿: "draft" });
    expect(wanted(grid, { 草稿: "draft" })).toEqual([{ sku_id: "1", etag: '"1-1"', state: "draft", reference: null }]);
  });

  test("undone step by step", () => {
    let grid = edit(gridOf(sku("1")), [{ id: "1", key: "name", text: "a" }]);
    grid = edit(grid, [{ id: "1", key: "name", text: "b" }]);
    expect(textOf(undo(grid), grid.rows[0]!, "name")).toBe("a");
    expect(dirty(undo(undo(grid)))).toEqual({ rows: 0, cells: 0 });
    expect(undo(EMPTY)).toBe(EMPTY);
  });
});

describe("a block laid on the grid", () => {
  const three = gridOf(sku("1"), sku("2"), sku("3"));

  test("from the cell on, and what lies outside is counted", () => {
    const { grid, taken, outside } = paste(three, KEYS, { row: 1, column: PRICE }, { rows: 1, columns: 1 }, parseBlock("21\t9\n22\t9.5\n23\t9"));
    expect([taken, outside]).toEqual([4, 2]);
    expect(wanted(grid)).toEqual([
      { sku_id: "2", etag: '"2-1"', price_minor: 2100, cost_minor: 900 }, { sku_id: "3", etag: '"3-1"', price_minor: 2200, cost_minor: 950 },
    ]);
  });

  test("one cell fills what is selected", () => {
    const { grid, taken } = paste(three, KEYS, { row: 0, column: PRICE }, { rows: 3, columns: 1 }, [["5"]]);
    expect([taken, dirty(grid)]).toEqual([3, { rows: 3, cells: 3 }]);
  });

  test("is one step to undo", () => {
    const { grid } = paste(three, KEYS, { row: 0, column: PRICE }, { rows: 3, columns: 1 }, [["5"]]);
    expect(dirty(undo(grid))).toEqual({ rows: 0, cells: 0 });
  });
});

describe("somebody else was first", () => {
  const mine = edit(gridOf(sku("1"), sku("2")), [{ id: "1", key: "price_minor", text: "21" }, { id: "2", key: "name", text: "x" }]);
  const theirs = sku("1", { price_minor: 2500, name: "Theirs", etag: '"1-2"' });

  test("nothing typed is lost, and what they say is told", () => {
    const grid = refused(mine, [{ sku_id: "1", code: "precondition_failed", why: "" }], [theirs]);
    expect(grid.edits).toEqual(mine.edits);
    expect(grid.conflicts["1"]?.base.price_minor).toBe("25.00");
    expect(grid.refusals).toEqual({});
  });

  test("mine goes over theirs, and only where I typed", () => {
    const grid = settle(refused(mine, [], [theirs]), "1", "mine");
    expect(wanted(grid)[0]).toEqual({ sku_id: "1", etag: '"1-2"', price_minor: 2100 });
    expect(textOf(grid, grid.rows[0]!, "name")).toBe("Theirs");
    expect(grid.conflicts).toEqual({});
  });

  test("theirs stays, and my edits of that row go", () => {
    const grid = settle(refused(mine, [], [theirs]), "1", "theirs");
    expect(wanted(grid).map((row) => row.sku_id)).toEqual(["2"]);
    expect(textOf(grid, grid.rows[0]!, "price_minor")).toBe("25.00");
  });

  test("a list that is read again keeps edits and finds the conflict", () => {
    const grid = refreshed(mine, [theirs, sku("2")]);
    expect(Object.keys(grid.conflicts)).toEqual(["1"]);
    expect(grid.edits).toEqual(mine.edits);
  });

  test("what was saved is no longer changed", () => {
    const grid = saved(mine, [sku("1", { price_minor: 2100, etag: '"1-3"' })]);
    expect(dirty(grid)).toEqual({ rows: 1, cells: 1 });
    expect(grid.rows[0]!.etag).toBe('"1-3"');
  });

  test("other refusals stand at their row until it is edited", () => {
    const grid = refused(mine, [{ sku_id: "2", code: "reference_taken", why: "Another one has it." }], []);
    expect(grid.refusals["2"]?.code).toBe("reference_taken");
    expect(edit(grid, [{ id: "2", key: "name", text: "y" }]).refusals).toEqual({});
  });
});
