/** An answer of the API that says no (RFC 9457), or no answer at all (code `network`). `code` is stable, `detail` is for people. */
export class Problem extends Error {
  override name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra: Record<string, unknown> = {},
    readonly retryAfterS: number | null = null,
  ) {
    super(`${status} ${code}: ${detail}`);
  }

  /** Whether asking the very same again may be answered otherwise. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  static async of(response: Response): Promise<Problem> {
    const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    const retryAfterS = Number.isFinite(wait) ? wait : null;
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => null);
    if (typeof body !== "object" || body === null) return new Problem(response.status, "unknown", "", {}, retryAfterS);
    const { code, detail, type: _type, title: _title, status: _status, ...extra } = body as Record<string, unknown>;
    return new Problem(response.status, String(code ?? "unknown"), String(detail ?? ""), extra, retryAfterS);
  }

  /** Anything thrown, as a problem. */
  static from(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof TypeError) return new Problem(0, "network", "");
    return new Problem(-1, "unexpected", error instanceof Error ? error.message : String(error));
  }
}

const RETRIES_MAX = 3;

/** The rule of the query client: what cannot change is not asked again. */
export function shouldRetry(failures: number, error: unknown): boolean {
  return failures < RETRIES_MAX && Problem.from(error).passes;
}

/** As long as the answer asked for, else 0.5 s, 1 s, 2 s. */
export function retryDelay(failures: number, error: unknown): number {
  const problem = Problem.from(error);
  return problem.retryAfterS === null ? 500 * 2 ** failures : Math.min(problem.retryAfterS, 60) * 1000;
}
