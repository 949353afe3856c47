// What was done at the counter and the hub does not have yet: kept in the browser, told in order.
// A use that could not be asked about is told by its time; a hand-over can be taken back for a while.
import { useEffect, useSyncExternalStore } from "react";
import { api, got, newName, Refusal } from "../api/client";

export interface Deed {
  name: string;
  kind: "redeem" | "handOver";
  /** A coupon's code, or an order's id. */
  subject: string;
  title: string;
  at: string;
  /** Not told before: until then it can be taken back. */
  tellAt: number;
  problem?: string;
}

const LOOK_MS = 1_000;
const REGRET_MS = 6_000;
const OUTCOME_LOOKS = 20;
const OUTCOME_MS = 500;
const RETRY_MS = 5_000;

/** The deeds of one clerk, as every open page of this browser knows them. */
export class Deeds {
  private known: Deed[];
  private listeners = new Set<() => void>();
  private isTelling = false;
  private nextTry = 0;

  constructor(
    private readonly key: string,
    private readonly onSettled: () => void,
  ) {
    this.known = read(key);
  }

  list = (): Deed[] => this.known;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A coupon was used while nobody could be asked. name: of the try that got no answer. */
  redeemed(code: string, name = newName()): void {
    this.add({ name, kind: "redeem", subject: code, title: code, at: new Date().toISOString(), tellAt: 0 });
  }

  handedOver(order_id: string, title: string): void {
    const tellAt = Date.now() + REGRET_MS;
    this.add({ name: newName(), kind: "handOver", subject: order_id, title, at: new Date().toISOString(), tellAt });
  }

  /** It was not so, or its problem was seen to. */
  drop(name: string): void {
    this.keep(this.known.filter((one) => one.name !== name));
  }

  /** Tell what is due, in order; what the line does not carry waits. */
  async tell(isBack = false): Promise<void> {
    if (this.isTelling || (!isBack && Date.now() < this.nextTry)) return;
    this.isTelling = true;
    try {
      for (const deed of this.known.filter((one) => !one.problem && one.tellAt <= Date.now())) {
        await this.tellOne(deed);
      }
    } catch {
      this.nextTry = Date.now() + RETRY_MS;
    } finally {
      this.isTelling = false;
    }
  }

  /** Throws where the hub can't be told now. */
  private async tellOne(deed: Deed): Promise<void> {
    try {
      const problem = deed.kind === "redeem" ? await tellUse(deed) : await tellHandOver(deed);
      if (problem) this.change(deed.name, problem);
      else this.drop(deed.name);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status >= 500 || error.status === 401) throw error;
      this.change(deed.name, error.why || error.code);
    }
    this.onSettled();
  }

  private add(deed: Deed): void {
    this.keep([...this.known, deed]);
  }

  private change(name: string, problem: string): void {
    this.keep(this.known.map((one) => (one.name === name ? { ...one, problem } : one)));
  }

  private keep(deeds: Deed[]): void {
    this.known = deeds;
    localStorage.setItem(this.key, JSON.stringify(deeds));
    for (const listener of this.listeners) listener();
  }
}

function read(key: string): Deed[] {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]") as Deed[];
  } catch {
    return [];
  }
}

async function tellUse({ name, subject, at }: Deed): Promise<string | null> {
  const body = { code: subject, redemption_id: name, redeemed_at: at };
  await got(api.POST("/v1/store/late-redemptions", { body: body as never }));
  for (let look = 0; look < OUTCOME_LOOKS; look++) {
    const { coupon } = await got(api.POST("/v1/store/lookup", { body: { text: subject } as never }));
    if (!coupon) return "unknown_code";
    const use = coupon.redemptions.find((one) => one.redemption_id === name);
    if (use) return use.is_accepted ? null : (use.refusal ?? "refused");
    await new Promise((done) => setTimeout(done, OUTCOME_MS));
  }
  throw new Error("the hub has it and has not judged it yet");
}

async function tellHandOver({ name, subject }: Deed): Promise<null> {
  const header = { "Idempotency-Key": name };
  await got(api.POST("/v1/store/orders/{order_id}/hand-over", { params: { path: { order_id: subject }, header } }));
  return null;
}

/** The clerk's deeds, told as long as the page is open. */
export function useDeeds(deeds: Deeds): Deed[] {
  useEffect(() => {
    const look = () => void deeds.tell();
    const back = () => void deeds.tell(true);
    const timer = setInterval(look, LOOK_MS);
    window.addEventListener("online", back);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", back);
    };
  }, [deeds]);
  return useSyncExternalStore(deeds.subscribe, deeds.list);
}
