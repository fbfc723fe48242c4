/** Money as people type it. The same rules as `tenants/money.py`: how many decimals a currency has (ISO 4217). */

const NONE = ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];
const THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/** The largest amount the API takes, in minor units. */
export const MOST = 100_000_000_000;

export function digitsOf(currency: string): number {
  return NONE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : 2;
}

export type Amount = { minor: number } | { wrong: "amount" | "decimals" | "much" };

/** `"1,299.5"`, `"¥12"`, `"１２．５"` in minor units; what is wrong with anything else. */
export function parseAmount(text: string, currency: string): Amount {
  const digits = digitsOf(currency);
  const plain = text
    .normalize("NFKC")
    .replace(/[\s,']/g, "")
    .replace(new RegExp(`^(?:[¥$€£]|${currency})`, "i"), "")
    .replace(/\u5143$/, ""); // the yuan, as people write it behind an amount
  const found = /^(\d{1,12})(?:\.(\d*))?$/.exec(plain);
  if (!found) return { wrong: "amount" };
  const rest = (found[2] ?? "").replace(/0+$/, "");
  if (rest.length > digits) return { wrong: "decimals" };
  const minor = Number(`${found[1]}${rest.padEnd(digits, "0")}`);
  return minor > MOST ? { wrong: "much" } : { minor };
}

/** An amount as it stands in a cell that can be edited: no separators, always all decimals. */
export function amountText(minor: number | null | undefined, currency: string): string {
  if (minor === null || minor === undefined) return "";
  const digits = digitsOf(currency);
  const text = String(minor).padStart(digits + 1, "0");
  return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
}
