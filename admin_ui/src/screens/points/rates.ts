function digits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** What a rate is given for: minor units as an amount of the store's currency, and back. */
export const perUnit = {
  least: (currency: string): number => 1 / 10 ** digits(currency),
  shown: (minor: number, currency: string): number => minor / 10 ** digits(currency),
  minor: (amount: number, currency: string): number => Math.max(1, Math.round(amount * 10 ** digits(currency))),
};
