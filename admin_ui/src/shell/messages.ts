/** A text with `{names}`, or one for each plural form, chosen by the value `n`. */
export type Message = string | { one?: string; other: string };
export type Values = Record<string, string | number>;

export function messageOf(message: Message, language: string, values: Values = {}): string {
  const text = typeof message === "string" ? message : form(message, language, Number(values["n"] ?? 0));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}

function form(message: { one?: string; other: string }, language: string, n: number): string {
  return new Intl.PluralRules(language).select(n) === "one" ? (message.one ?? message.other) : message.other;
}
