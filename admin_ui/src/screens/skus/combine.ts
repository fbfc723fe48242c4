type Choices = Record<string, string>;

/** Every combination of the options that no SKU has yet, in their order; at most `most`. */
export function missing(options: { name: string; values: string[] }[], there: Choices[], most = 1000): Choices[] {
  const key = (choices: Choices) => JSON.stringify(options.map((option) => choices[option.name]));
  const known = new Set(there.map(key));
  const all = options.reduce<Choices[]>(
    (sofar, option) => sofar.flatMap((choices) => option.values.map((value) => ({ ...choices, [option.name]: value }))),
    options.length ? [{}] : [],
  );
  return all.filter((choices) => !known.has(key(choices))).slice(0, most);
}
