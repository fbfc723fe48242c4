"""What is asked of a merchant about others and himself: data rights, qualification, the platform's own staff."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.documents import PDF
from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, LETTERS, Given, Scene, Success, always

A_PDF = {"Content-Type": "application/pdf"}


def rights(place: Place) -> dict[str, Scene]:
    ask, quiet, desk = place.ask, place.quiet, place.desk
    owner = place.door.session(quiet.owner)[0]

    def shopper(_: str) -> Given:
        """Somebody whose order has ended."""
        guest, contact = place.door.guest(place.store), f"{uuid4().hex}@example.org"
        ask("POST", f"/v1/orders/{place.order(guest, contact=contact)}/cancel", headers=guest)
        return Given({"shopper_id": ask("POST", "/v1/shoppers/search", {"contact": contact})["items"][0]["id"]})

    def archive(_: str) -> Given | None:
        if not place.house.whole:
            return None
        request = place.ids["request_id"][0]
        place.wait(f"/v1/data-requests/{request}", "done")
        return Given({"request_id": request})

    def leave(_: Any = None) -> None:
        desk.ask("POST", "/v1/off-boarding", owner, {"password": quiet.owner.password})

    def stay(_: Any = None) -> None:
        desk.ask("DELETE", "/v1/off-boarding", owner)

    def quiet_owner(role: str) -> Given | None:
        return Given({"password": quiet.owner.password}, headers=owner) if role == "owner" else None

    def leaving(role: str) -> Given | None:
        if role == "owner":
            leave()
        return quiet_owner(role)

    def qualification(state: str, **more: Any) -> Callable[[str], Given]:
        return lambda _: Given(place.qualification(state) | more)

    def document(_: str) -> Given:
        return Given(place.qualification("draft") | {"shows": "other"}, PDF + uuid4().bytes + b"%%EOF", A_PDF)

    def withdraw(done: Success) -> None:
        ask("POST", f"/v1/qualifications/{done.answer['id']}/withdraw", headers=place.key_of(done.role))

    until = {"valid_until": "2099-01-01T00:00:00Z"}
    return {
        "exportShopper": Scene(always(shopper_id=place.ids["shopper_id"][0])),
        "eraseShopper": Scene(shopper, ALWAYS),
        "downloadArchive": Scene(archive),
        "getOffBoarding": Scene(lambda role: (leave(), stay(), quiet_owner(role))[-1] if role == "owner" else None, by_role=True),
        "startOffBoarding": Scene(quiet_owner, ALWAYS, stay, by_role=True),
        "cancelOffBoarding": Scene(leaving, ALWAYS, by_role=True),
        "createQualification": Scene(after=withdraw),
        "getQualification": Scene(qualification("submitted")),
        "correctQualification": Scene(qualification("draft")),
        "submitQualification": Scene(qualification("draft"), ALWAYS),
        "withdrawQualification": Scene(qualification("submitted"), ALWAYS),
        "addDocument": Scene(document, ALWAYS),
        "getDocument": Scene(qualification("submitted")),
        "removeDocument": Scene(qualification("draft"), ALWAYS),
        "getMerchantQualification": Scene(qualification("submitted")),
        "getMerchantDocument": Scene(qualification("submitted")),
        "takeQualification": Scene(qualification("submitted"), ALWAYS),
        "approveQualification": Scene(qualification("in_review", **until), ALWAYS),
        "rejectQualification": Scene(qualification("in_review"), ALWAYS),
        "askMoreOfQualification": Scene(qualification("in_review"), ALWAYS),
        "revokeQualification": Scene(qualification("approved"), ALWAYS),
    }


def platform(place: Place) -> dict[str, Scene]:
    door, desk, admin = place.door, place.desk, place.admin
    quiet = f"/v1/platform/merchants/{place.quiet.tenant_id}"

    def enrolment(_: str) -> Given:
        added = desk.ask("POST", "/v1/platform/staff", admin, {"mail": f"{uuid4().hex}@example.org", "role": "support"})
        return Given({"enrolment": added["enrolment"], "staff_id": added["id"]})

    def suspended(_: str) -> Given:
        desk.ask("POST", f"{quiet}/suspend", admin, {"reason": "x"})
        return Given({"merchant_id": place.quiet.tenant_id})

    def reserved(_: str) -> Given:
        slug = f"r-{uuid4().hex[:12]}"
        desk.ask("POST", "/v1/platform/reserved-slugs", admin, {"slug": slug, "reason": "x"})
        return Given({"slug": slug})

    return {
        "mayIssueCertificate": Scene(always(domain=f"{place.store.slug}.localhost")),
        "suspendMerchant": Scene(
            always(merchant_id=place.quiet.tenant_id),
            after=lambda _: desk.ask("POST", f"{quiet}/lift-suspension", admin, {"reason": "x"}),
        ),
        "liftSuspension": Scene(suspended, ALWAYS),
        "addPlatformStaff": Scene(after=lambda done: desk.ask("DELETE", f"/v1/platform/staff/{done.answer['id']}", admin)),
        "removePlatformStaff": Scene(enrolment, ALWAYS),
        "enrolPlatformStaff": Scene(enrolment),
        "signInPlatformStaff": Scene(lambda _: Given(dict(door.colleague(admin, "support"))), LETTERS),
        "signOutPlatformStaff": Scene(after=lambda done: place.renew(done.role)),
        "reserveSlug": Scene(after=lambda done: desk.ask("DELETE", f"/v1/platform/reserved-slugs/{done.answer['slug']}", admin)),
        "freeSlug": Scene(reserved, ALWAYS),
    }
