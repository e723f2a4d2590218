const HELPER_MS = 5_000;

/** The helper that kills parts when it is told to; the web app itself can kill nothing. */
export class FailureMenu {
  readonly #helper: { readonly url: string; readonly token: string };

  constructor(helper: { readonly url: string; readonly token: string }) {
    this.#helper = helper;
  }

  /** The parts that it may kill; none when it does not answer. */
  async parts(): Promise<readonly string[]> {
    try {
      const response = await this.#ask("GET", "/parts");
      const { parts } = (await response.json()) as { parts?: unknown };
      return response.ok && Array.isArray(parts)
        ? parts.filter((part): part is string => typeof part === "string")
        : [];
    } catch {
      return [];
    }
  }

  /** @returns why it was not killed, if it was not */
  async kill(part: string): Promise<{ readonly status: number; readonly error: string } | undefined> {
    try {
      const response = await this.#ask("POST", `/kill/${encodeURIComponent(part)}`);
      if (response.ok) return undefined;
      // It says why itself, or what stands before it does.
      const { error, detail } = (await response.json().catch(() => ({}))) as { error?: unknown; detail?: unknown };
      const why = [error, detail].find((text) => typeof text === "string");
      return { status: response.status, error: why ?? `the helper answered with status ${response.status}` };
    } catch {
      return { status: 502, error: "the helper that kills parts does not answer" };
    }
  }

  #ask(method: string, path: string): Promise<globalThis.Response> {
    return fetch(this.#helper.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#helper.token}` },
      signal: AbortSignal.timeout(HELPER_MS),
    });
  }
}
