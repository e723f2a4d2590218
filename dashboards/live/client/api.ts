import type {
  AlertDetail,
  AlertsPage,
  FailureMark,
  Meta,
  Pulse,
  Quality,
  VerdictRequest,
  VerdictRow,
} from "../wire.js";

/** A request that was refused or not answered. */
export class ApiError extends Error {
  /** 0 when nobody answered. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
  const body = (await response.json().catch(() => ({}))) as { detail?: string };
  if (!response.ok)
    throw new ApiError(response.status, body.detail ?? `the server answered with status ${response.status}`);
  return body as T;
}

const act = <T>(path: string, body: object = {}): Promise<T> =>
  ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-dashboard-action": "1" },
    body: JSON.stringify(body),
  });

export const api = {
  meta: () => ask<Meta>("/api/meta"),
  alerts: (limit: number, before?: number) =>
    ask<AlertsPage>(`/api/alerts?limit=${limit}${before === undefined ? "" : `&before=${before}`}`),
  alert: (id: string) => {
    const slash = id.lastIndexOf("/");
    return ask<AlertDetail>(`/api/alerts/${encodeURIComponent(id.slice(0, slash))}/${id.slice(slash + 1)}`);
  },
  series: () => ask<{ pulses: Pulse[]; failures: FailureMark[] }>("/api/series"),
  quality: () => ask<Quality>("/api/quality"),
  verdicts: () => ask<{ rows: VerdictRow[]; fed: number }>("/api/verdicts?limit=1000"),
  giveVerdict: (verdict: VerdictRequest) => act<{ labelId: string; revision: number }>("/api/verdicts", verdict),
  kill: (part: string) => act(`/api/failures/${encodeURIComponent(part)}`),
  login: (token: string) => act("/api/login", { token }),
};
