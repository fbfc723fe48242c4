import { describe, expect, it } from "vitest";
import { eventOf, eventsIn } from "./events";

async function heard(...chunks: string[]) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  const events = [];
  for await (const event of eventsIn(stream)) events.push(event);
  return events;
}

describe("events", () => {
  it("come whole however they are cut", async () => {
    expect(await heard("id: 7\nevent: or", 'der\ndata: {"n"', ":1}\n", "\nevent: end\n\n")).toEqual([
      { id: "7", type: "order", data: { n: 1 } },
      { id: "", type: "end", data: "" },
    ]);
  });
  it("pass over what only keeps the line open", () => expect(eventOf(": still here")).toBeNull());
  it("join lines of data", () => expect(eventOf("data: a\ndata: b")?.data).toBe("a\nb"));
});
