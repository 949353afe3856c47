// What a text names, and where each object is shown. Texts stay out of addresses.
import { api, got, type Schemas } from "../api/client";

export type Hit = Schemas["Hit"];

export async function find(text: string): Promise<Hit[]> {
  return (await got(api.POST("/v1/search", { body: { text } as never }))).items;
}

/** The page of an object; null if it has none. */
export function placeOf(hit: Hit): string | null {
  const place = (kind: string, id: string) => `/${kind}/${encodeURIComponent(id)}`;
  if (hit.kind === "member") return place("members", hit.id);
  if (hit.kind === "order") return place("orders", hit.id);
  if (hit.kind === "coupon") return place("coupons", hit.id);
  if (hit.kind === "item") return place("items", hit.id);
  if (hit.object_kind === "profile" && hit.object_id) return place("members", hit.object_id);
  if (hit.object_kind === "order" && hit.object_id) return place("orders", hit.object_id);
  return null;
}
