import { describe, expect, it } from "vitest";
import type { Message } from "./messages";

const zh = import.meta.glob<Record<string, Message>>("../words/zh-CN/*.json", { eager: true, import: "default" });
const en = import.meta.glob<Record<string, Message>>("../words/en/*.json", { eager: true, import: "default" });
const sources = import.meta.glob<string>(["../**/*.tsx", "../**/*.ts", "!../**/*.test.ts", "!../api/schema.d.ts", "!./words.tsx"], { eager: true, query: "?raw", import: "default" });

const noun = (path: string) => path.slice(path.lastIndexOf("/") + 1, -".json".length);
const names = (message: Message) => (JSON.stringify(message).match(/\{\w+\}/g) ?? []).filter((name, at, all) => all.indexOf(name) === at).sort();

describe("words", () => {
  it("are the same nouns in both languages", () => expect(Object.keys(en).map(noun)).toEqual(Object.keys(zh).map(noun)));

  it.each(Object.keys(zh).map(noun))("%s has the same keys and values in both", (name) => {
    const chinese = zh[`../words/zh-CN/${name}.json`] ?? {};
    const english = en[`../words/en/${name}.json`] ?? {};
    expect(Object.keys(english).sort()).toEqual(Object.keys(chinese).sort());
    for (const [key, message] of Object.entries(chinese)) expect([key, names(english[key] ?? "")]).toEqual([key, names(message)]);
  });

  it("are there for every key that the code names", () => {
    const all = new Map(Object.entries(zh).map(([path, words]) => [noun(path), words]));
    const missing: string[] = [];
    for (const [path, source] of Object.entries(sources)) {
      const nouns = [...source.matchAll(/const t = useWords\("(\w+)"\)/g)].map((found) => found[1] ?? "");
      const known = [...nouns, "ui"].flatMap((each) => Object.keys(all.get(each) ?? {}));
      if (nouns.length === 0) continue;
      for (const [, key] of source.matchAll(/\bt\("([a-z0-9_.:-]+)"/g)) if (key && !known.includes(key)) missing.push(`${path}: ${key}`);
    }
    expect(missing).toEqual([]);
  });

  it("stand in no component", () => {
    expect(Object.entries(sources).filter(([, source]) => /[\u4e00-\u9fff]/.test(source)).map(([path]) => path)).toEqual([]);
  });
});
