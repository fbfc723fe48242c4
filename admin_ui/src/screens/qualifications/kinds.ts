/** What each kind has to show, as `tenants/qualifications/kinds.py` has it. */
export const KINDS = {
  individual: ["id_front", "id_back"],
  sole_trader: ["business_licence", "id_front", "id_back"],
  company: ["business_licence", "representative_id_front", "representative_id_back"],
  game_topup: ["publishing_approval", "distribution_contract"],
  gift_cards: ["prepaid_card_record"],
} as const satisfies Record<string, readonly string[]>;

export type Kind = keyof typeof KINDS;

export function showsOf(kind: string): readonly string[] {
  return kind in KINDS ? KINDS[kind as Kind] : [];
}

export const EDITABLE = ["draft", "more_wanted"];
export const OPEN = ["draft", "submitted", "more_wanted"];
