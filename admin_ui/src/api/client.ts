import createClient, { type Middleware } from "openapi-fetch";
import { Problem } from "./problem";
import type { paths } from "./schema";

export type Mode = "live" | "test";

/** What every request carries; the shell sets it as the session begins, ends and changes its mode. */
export const credentials: { csrf: string; mode: Mode; onLost: () => void } = { csrf: "", mode: "live", onLost: () => undefined };

/** A person's own things are the same in test mode. */
const OWN = ["/v1/profile", "/v1/sessions"];
const SAFE = ["GET", "HEAD"];

export function headersFor(method: string, path: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (!SAFE.includes(method)) headers["X-CSRF-Token"] = credentials.csrf;
  if (credentials.mode === "test" && !OWN.some((own) => path.startsWith(own))) headers["X-Tessera-Mode"] = "test";
  return headers;
}

const middleware: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(headersFor(request.method, new URL(request.url).pathname))) request.headers.set(name, value);
  },
  async onResponse({ response }) {
    if (response.ok || response.status === 304) return;
    const problem = await Problem.of(response);
    if (problem.status === 401 && problem.code === "unauthorized") credentials.onLost();
    throw problem;
  },
  onError({ error }) {
    return error instanceof Problem ? error : Problem.from(error);
  },
};

/** A wish that carries its Idempotency-Key is sent once more when the line broke: nothing happens twice. */
async function patient(request: Request): Promise<Response> {
  const again = request.headers.has("Idempotency-Key") ? request.clone() : null;
  try {
    return await fetch(request);
  } catch (error) {
    if (again === null || !(error instanceof TypeError)) throw error;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return fetch(again);
  }
}

/** The API, typed by its OpenAPI document. Every answer that is no success is thrown as a `Problem`. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", credentials: "same-origin", fetch: patient });
api.use(middleware);

/** What the API answered: `await take(api.GET("/v1/staff"))`. */
export async function take<T>(asked: Promise<{ data?: T }>): Promise<T> {
  return (await asked).data as T;
}

/** The same with its ETag, which `If-Match` wants back. */
export async function takeTagged<T>(asked: Promise<{ data?: T; response: Response }>): Promise<Tagged<T>> {
  const { data, response } = await asked;
  return { value: data as T, etag: response.headers.get("etag") ?? "*" };
}

export interface Tagged<T> {
  value: T;
  etag: string;
}

/** For `params: { header: newKey() }` of a creating request: made once per wish, not per try. */
export function newKey(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": crypto.randomUUID() };
}

/** A request that the document does not describe or whose body is a file: the same headers, the same problems. */
export async function raw(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  const asked = { method, headers: { ...headersFor(method, path), ...headers }, ...(body === undefined ? {} : { body }) };
  const response = await fetch(path, asked).catch((error: unknown) => {
    throw Problem.from(error);
  });
  if (response.ok) return response;
  const problem = await Problem.of(response);
  if (problem.status === 401 && problem.code === "unauthorized") credentials.onLost();
  throw problem;
}

/** The same for whom success is all there is to know: the answer is read to its end, or the browser would keep its line open. */
export async function send(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<void> {
  await (await raw(method, path, body, headers)).arrayBuffer();
}

export type { components, paths } from "./schema";
