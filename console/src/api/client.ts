// The hub's API as the console calls it: typed by its own OpenAPI, by the session of the browser.
import createClient, { type Middleware } from "openapi-fetch";
import i18next from "i18next";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Session = Schemas["Session"];

let forgeryToken = "";

export function rememberSession(session: Session): Session {
  forgeryToken = session.csrf_token;
  return session;
}

/** A refusal of the API in the reader's words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** Which of several reasons it is, as a word for programs. */
    readonly why: string,
    title: string,
    readonly detail: string,
    readonly faults: { field: string; reason: string }[],
  ) {
    super(title);
  }
}

const asTheSession: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept-Language", i18next.language);
    if (request.method !== "GET") request.headers.set("X-CSRF-Token", forgeryToken);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: "/", credentials: "same-origin" });
api.use(asTheSession);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What the API answered; a refusal is thrown. */
export async function got<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T;
  throw refusalOf(response.status, error);
}

function refusalOf(status: number, said: unknown): Refusal {
  const body = (said ?? {}) as Record<string, unknown>;
  const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : "");
  const faults = Array.isArray(body.errors) ? body.errors : [];
  const code = text("type").replace("/problems/", "");
  return new Refusal(status, code, text("cause"), text("title") || String(status), text("detail"), faults);
}

/** The name of a request that changes something: sent again, it is answered and not done again. */
export function newName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
