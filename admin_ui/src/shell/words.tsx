import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { messageOf, type Message, type Values } from "./messages";

export type Language = "zh-CN" | "en";
export const LANGUAGES: Record<Language, string> = { "zh-CN": "简体中文", en: "English" };

export type Translate = (key: string, values?: Values) => string;
type Catalogue = Record<string, Record<string, Message>>;

/** What a noun's own words do not say, these do. */
const COMMON = "ui";
const LANGUAGE = "tessera.language";
const files: Record<Language, Record<string, () => Promise<Record<string, Message>>>> = {
  "zh-CN": import.meta.glob<Record<string, Message>>("../words/zh-CN/*.json", { import: "default" }),
  en: import.meta.glob<Record<string, Message>>("../words/en/*.json", { import: "default" }),
};

export async function load(language: Language): Promise<Catalogue> {
  const named = Object.entries(files[language]).map(async ([path, read]) => {
    const noun = path.slice(path.lastIndexOf("/") + 1, -".json".length);
    return [noun, await read()] as const;
  });
  return Object.fromEntries(await Promise.all(named));
}

export function chosenLanguage(): Language {
  const kept = localStorage.getItem(LANGUAGE);
  if (kept === "zh-CN" || kept === "en") return kept;
  return navigator.language.startsWith("zh") ? "zh-CN" : navigator.languages.some((each) => each.startsWith("zh")) ? "zh-CN" : "en";
}

interface Words {
  language: Language;
  catalogue: Catalogue;
  speak: (language: Language) => void;
}

const Context = createContext<Words | null>(null);

/** Holds the words of the chosen language; another one is fetched when it is chosen, and the page is not reloaded. */
export function WordsProvider({ first, children }: { first: { language: Language; catalogue: Catalogue }; children: ReactNode }) {
  const [{ language, catalogue }, setWords] = useState(first);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speak = (next: Language) => {
    localStorage.setItem(LANGUAGE, next);
    void load(next).then((read) => setWords({ language: next, catalogue: read }));
  };
  return <Context value={{ language, catalogue, speak }}>{children}</Context>;
}

export function useLanguage(): Pick<Words, "language" | "speak"> {
  const words = useContext(Context);
  if (words === null) throw new Error("WordsProvider is missing");
  return words;
}

/** For who speaks of many nouns: the menu, the palette. */
export function useAllWords(): (noun: string, key: string, values?: Values) => string {
  const words = useContext(Context);
  if (words === null) throw new Error("WordsProvider is missing");
  const { catalogue, language } = words;
  return (noun, key, values) => {
    const message = catalogue[noun]?.[key] ?? catalogue[COMMON]?.[key];
    return message === undefined ? key : messageOf(message, language, values);
  };
}

/** `const t = useWords("orders"); t("title"); t("selected", { n })`. A key that is missing is looked for in `ui.json`. */
export function useWords(noun: string): Translate {
  const say = useAllWords();
  return (key, values) => say(noun, key, values);
}

/** Whether a noun has a word for `key`: for codes that the API may add to. */
export function useHasWord(noun: string): (key: string) => boolean {
  const words = useContext(Context);
  return (key) => words?.catalogue[noun]?.[key] !== undefined || words?.catalogue[COMMON]?.[key] !== undefined;
}
