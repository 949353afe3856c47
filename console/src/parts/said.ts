// Moments, states and kinds as people say them.
import { useTranslation } from "react-i18next";

export function useSaid() {
  const { t, i18n } = useTranslation();
  const language = i18n.language === "en" ? "en-GB" : "zh-CN";
  const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return {
    moment: (at: string | null | undefined) => (at ? moments.format(new Date(at)) : t("said.never")),
    state: (name: string) => t(`state.${name}`, { defaultValue: name }),
    event: (type: string) => t(`event.${type}`, { defaultValue: type }),
    channel: (name: string) => t(`channel.${name}`, { defaultValue: name }),
    why: (reason: string) => t(`why.${reason.replace(/\W+/g, "_")}`, { defaultValue: reason }),
    points: (count: number) => (count > 0 ? `+${count}` : String(count)),
  };
}

/** A state's colour: what went well, what waits, what went wrong. */
export function colourOf(state: string): string {
  if (["applied", "paid", "completed", "redeemed", "succeeded", "fulfilled", "verified"].includes(state)) return "green";
  if (["refused", "cancelled", "voided", "failed", "dead_letter", "expired", "ignored"].includes(state)) return "red";
  if (["parked", "pending", "open", "frozen", "reserved"].includes(state)) return "gold";
  return "default";
}
