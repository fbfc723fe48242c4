import type { Credentials } from "../../api/payments";

export const FIELDS = ["mch_id", "serial_no", "private_key_pem", "api_v3_key", "provider_serial", "provider_public_key_pem"] as const;
export type Field = (typeof FIELDS)[number];

/** Credentials that somebody pasted as the JSON that a provider's console hands out; null for what is none. Other members are left out. */
export function pasted(text: string): Partial<Credentials> | null {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null || Array.isArray(read)) return null;
    const found: Partial<Credentials> = {};
    for (const name of FIELDS) {
      const value = (read as Record<string, unknown>)[name];
      if (typeof value === "string" && value !== "") found[name] = value;
    }
    return Object.keys(found).length > 0 ? found : null;
  } catch {
    return null;
  }
}
