import { useEffect, useRef, useState } from "react";
import { headersFor } from "../api/client";

export interface ServerEvent {
  id: string;
  type: string;
  data: unknown;
}

export type Link = "connecting" | "open" | "broken";
const WAITS_MS = [500, 1000, 2000, 5000, 10_000];

/** Listens to server-sent events at `path` (null: to nothing). After a break it goes on from the last event it had. */
export function useEvents(path: string | null, onEvent: (event: ServerEvent) => void): Link {
  const [link, setLink] = useState<Link>("connecting");
  const heard = useRef(onEvent);
  heard.current = onEvent;
  useEffect(() => {
    if (path === null) return;
    const ended = new AbortController();
    let last = "";
    const listen = async () => {
      for (let failures = 0; !ended.signal.aborted; failures += 1) {
        try {
          const headers = { ...headersFor("GET", path), Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
          const response = await fetch(path, { headers, signal: ended.signal });
          if (response.ok && response.body !== null) {
            setLink("open");
            for await (const event of eventsIn(response.body)) {
              failures = 0;
              if (event.id !== "") last = event.id;
              heard.current(event);
            }
          } else if (response.status < 500 && response.status !== 429) {
            return setLink("broken");
          }
        } catch {
          if (ended.signal.aborted) return;
        }
        if (ended.signal.aborted) return;
        setLink("broken");
        const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 1000;
        await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
      }
    };
    void listen();
    return () => ended.abort();
  }, [path]);
  return link;
}

/** The events in a stream of text, as RFC-less practice has them: fields by line, an empty line ends one. */
export async function* eventsIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = stream.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const event = eventOf(part);
      if (event !== null) yield event;
    }
  }
}

/** One event's lines; null for a comment that only keeps the line open. */
export function eventOf(text: string): ServerEvent | null {
  const fields: Record<string, string> = {};
  const data: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    if (line.slice(0, at) === "data") data.push(value);
    else fields[line.slice(0, at)] = value;
  }
  if (data.length === 0 && fields["event"] === undefined) return null;
  const said = data.join("\n");
  return { id: fields["id"] ?? "", type: fields["event"] ?? "message", data: parsed(said) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
