import { describe, expect, it } from "vitest";
import { changed } from "./url_filters";

describe("filters in the address", () => {
  it("begins the list anew and keeps what is not named", () => {
    expect(changed(new URLSearchParams("after=abc&state=paid&tab=x"), { state: "open" }).toString()).toBe("state=open&tab=x");
  });
  it("takes an empty one away", () => {
    expect(changed(new URLSearchParams("state=paid"), { state: "" }).toString()).toBe("");
  });
});
