"""The kinds of qualification: what each has to show. The first three say who a merchant is, the others what he may sell."""

from typing import NamedTuple


class Kind(NamedTuple):
    """`shows` is what documents it takes before it can be submitted. One that `ends` is approved only until its licence runs out."""

    shows: tuple[str, ...]
    ends: bool = False


KINDS: dict[str, Kind] = {
    "individual": Kind(("id_front", "id_back")),
    "sole_trader": Kind(("business_licence", "id_front", "id_back")),  # 个体工商户
    "company": Kind(("business_licence", "representative_id_front", "representative_id_back")),
    "game_topup": Kind(("publishing_approval", "distribution_contract"), ends=True),  # 版号 and the publisher's authorisation
    "gift_cards": Kind(("prepaid_card_record",), ends=True),  # 单用途商业预付卡备案
}
OTHER = "other"  # whatever else a reviewer asked for
SHOWS = frozenset({OTHER}.union(*(kind.shows for kind in KINDS.values())))
