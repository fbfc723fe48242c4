import { describe, expect, it } from "vitest";
import { Problem, retryDelay, shouldRetry } from "./problem";

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => new Response(JSON.stringify(body), { status, headers });

describe("a problem", () => {
  it("is what the API said", async () => {
    const problem = await Problem.of(answer(409, { type: "about:blank", title: "Conflict", status: 409, detail: "No.", code: "taken", slug: "x" }));
    expect([problem.status, problem.code, problem.detail, problem.extra]).toEqual([409, "taken", "No.", { slug: "x" }]);
  });
  it("is told of a line that broke", () => expect(Problem.from(new TypeError("fetch failed")).code).toBe("network"));
  it("is asked again only where that may help", async () => {
    for (const status of [400, 401, 403, 404, 409, 412, 422, 500]) expect(shouldRetry(0, await Problem.of(answer(status, {})))).toBe(false);
    for (const status of [429, 503]) expect(shouldRetry(0, await Problem.of(answer(status, {})))).toBe(true);
    expect(shouldRetry(3, new TypeError("fetch failed"))).toBe(false);
  });
  it("waits as long as it was told to", async () => {
    expect(retryDelay(0, await Problem.of(answer(429, {}, { "retry-after": "7" })))).toBe(7000);
    expect(retryDelay(2, new TypeError("fetch failed"))).toBe(2000);
  });
});
