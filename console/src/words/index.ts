// What the console says, in two languages. Chinese comes with the first screen.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import zh from "./zh.json";

export type Language = "zh" | "en";
const KEPT_AS = "hub.language";

export function chosenLanguage(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === "zh" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("en") ? "en" : "zh";
}

export async function startWords(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: "zh",
    fallbackLng: "zh",
    resources: { zh: { translation: zh } },
    keySeparator: ".",
    interpolation: { escapeValue: false },
  });
  await speak(chosenLanguage());
}

export async function speak(language: Language): Promise<void> {
  if (language === "en" && !i18next.hasResourceBundle("en", "translation")) {
    const words = await import("./en.json");
    i18next.addResourceBundle("en", "translation", words.default);
  }
  localStorage.setItem(KEPT_AS, language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = i18next.t("app.name");
}
