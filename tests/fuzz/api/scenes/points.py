"""Points: the program as it was before, and points that there are."""

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene, Success

PROGRAM = "/v1/points/program"
ANY = {"If-Match": "*"}


def points(place: Place) -> dict[str, Scene]:
    shopper = place.ids["shopper_id"][0]
    body = {"enabled": True, "sign_in_points": 5, "levels": []}

    def put(done: Success | None = None) -> None:
        place.ask("PUT", PROGRAM, body, headers=(place.key_of(done.role) if done else place.key) | ANY)

    put()
    place.ask("POST", f"/v1/shoppers/{shopper}/points/entries", {"amount": 1_000_000, "reason": "x"})
    return {
        "putPointsProgram": Scene(lambda _: Given({**body, **ANY}), ALWAYS, put),
        "adjustPoints": Scene(lambda _: Given({"shopper_id": shopper, "amount": 1, "reason": "x"})),
    }
