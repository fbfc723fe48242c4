import { useLanguage } from "../shell/words";

const digits = new Map<string, number>();

/** How many digits the currency has after its point: 2 for CNY, 0 for JPY. */
export function digitsOf(currency: string): number {
  let known = digits.get(currency);
  if (known === undefined) {
    known = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
    digits.set(currency, known);
  }
  return known;
}

export function moneyText(minor: number, currency: string, language: string): string {
  const amount = minor / 10 ** digitsOf(currency);
  return new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(amount);
}

/** What a person typed as an amount, in minor units; null for what is none. */
export function minorOf(text: string, currency: string): number | null {
  const found = /^(\d+)(?:\.(\d+))?$/.exec(text.trim().replaceAll(",", ""));
  const places = digitsOf(currency);
  const fraction = found?.[2] ?? "";
  if (found === null || fraction.length > places) return null;
  return Number(found[1]) * 10 ** places + Number(fraction.padEnd(places, "0") || "0");
}

export function Money({ minor, currency }: { minor: number; currency: string }) {
  const { language } = useLanguage();
  return <span className="money">{moneyText(minor, currency, language)}</span>;
}
