/** What a product type must be told, as the JSON Schema of `GET /v1/types` says it, made into fields of a form. */

export interface Schema {
  $ref?: string;
  type?: string;
  title?: string;
  enum?: string[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  $defs?: Record<string, Schema>;
}

export type Kind = "text" | "count" | "switch" | "choice" | "words" | "names" | "list" | "sku";

export interface Field {
  name: string;
  kind: Kind;
  schema: Schema;
  required: boolean;
  /** Null stands for none: without a value it is said so. */
  nullable: boolean;
  /** Of a list: what each of its items has. */
  items: Field[];
}

export function fieldsOf(root: Schema, at: Schema = root): Field[] {
  const { properties = {}, required = [] } = resolved(root, at);
  return Object.entries(properties).map(([name, given]) => {
    const nullable = given.anyOf?.some((each) => each.type === "null") ?? false;
    const schema = resolved(root, nullable ? { ...given.anyOf!.find((each) => each.type !== "null")!, default: given.default } : given);
    const kind = kindOf(root, name, schema);
    return { name, kind, schema, nullable, required: required.includes(name), items: kind === "list" ? fieldsOf(root, schema.items!) : [] };
  });
}

function resolved(root: Schema, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...own } = schema;
  return { ...root.$defs?.[$ref.split("/").at(-1)!], ...own };
}

function kindOf(root: Schema, name: string, schema: Schema): Kind {
  if (schema.enum) return "choice";
  if (schema.type === "integer") return "count";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "object") return "names";
  if (schema.type === "array") return resolved(root, schema.items ?? {}).type === "object" ? "list" : "words";
  return name === "sku_id" ? "sku" : "text";
}

/** What a new form begins with: the defaults of what has some, and a row of what must have one. */
export function begun(fields: Field[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap(({ name, kind, schema, required, items }) => {
      if (schema.default !== undefined && schema.default !== null) return [[name, schema.default]];
      if (kind === "list" && required) return [[name, [begun(items)]]];
      return [];
    }),
  );
}

/** What was filled in as the API takes it: what was left empty is left out, or null where null says so. */
export function told(fields: Field[], values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = toldOf(field, values[field.name]);
      if (value !== undefined) return [[field.name, value]];
      return field.nullable ? [[field.name, null]] : [];
    }),
  );
}

function toldOf({ kind, schema, items }: Field, value: unknown): unknown {
  if (value === undefined || value === null || value === "") return undefined;
  if (kind === "list") {
    const rows = (value as Record<string, unknown>[]).map((row) => told(items, row ?? {}));
    return rows.length === 0 && (schema.minItems ?? 0) > 0 ? undefined : rows;
  }
  if (kind === "names") {
    const said = Object.entries(value as Record<string, string | undefined>).filter(([, text]) => text?.trim());
    return said.length ? Object.fromEntries(said) : undefined;
  }
  return value;
}

/** Null where the schema has none, or one that only Python reads. */
export function pattern(schema: Schema): RegExp | null {
  if (!schema.pattern) return null;
  try {
    return new RegExp(schema.pattern, "u");
  } catch {
    return null;
  }
}
