// What the hub says of rules: its check, its parts, real events, versions.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import i18next from "i18next";
import { useEffect, useState } from "react";
import { api, got, Refusal, type Schemas } from "../api/client";

export type Version = Schemas["RuleVersion"];
export type Run = Schemas["RuleRun"];
export type Parts = Schemas["RuleParts"];
export type Sample = Schemas["Sample"];
export type FieldPart = Schemas["FieldPart"];
export interface Fault {
  path: string;
  words: string;
  line: number | null;
}

const CHECK_AFTER_MS = 350;
// "line 2, column 20: in English / in Chinese"
const PLACED = /^line (\d+), column \d+: (.*)$/s;

/** What is wrong with a text, as the hub itself says; undefined until it has said so. */
export function useFaults(text: string): { faults: Fault[] | undefined; error: unknown } {
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const check = useQuery({
    queryKey: ["rule-check", asked],
    queryFn: () => faultsOf(asked),
    placeholderData: keepPreviousData,
  });
  return { faults: asked === text && !check.isPlaceholderData ? check.data : undefined, error: check.error };
}

async function faultsOf(text: string): Promise<Fault[]> {
  try {
    await got(api.POST("/v1/rules/check", { body: { rule: text } as never }));
    return [];
  } catch (error) {
    if (error instanceof Refusal && error.status === 422) return error.faults.map(placed);
    throw error;
  }
}

function placed({ field, reason }: { field: string; reason: string }): Fault {
  const parts = PLACED.exec(reason);
  return { path: field, line: parts ? Number(parts[1]) : null, words: inOneLanguage(parts?.[2] ?? reason) };
}

function inOneLanguage(words: string): string {
  const cut = [...words.matchAll(/ \/ /g)].map((found) => found.index).find((at) => /^[^/]*[\u4e00-\u9fff]/.test(words.slice(at + 3)));
  if (cut === undefined) return words;
  return i18next.language === "en" ? words.slice(0, cut) : words.slice(cut + 3);
}

export function useParts(): Parts | undefined {
  return useQuery({ queryKey: ["rule-parts"], queryFn: () => got(api.GET("/v1/rule-parts")), staleTime: 60_000 }).data;
}

export function useSamples(type: string | undefined): Schemas["RuleSamples"] | undefined {
  return useQuery({
    queryKey: ["rule-samples", type],
    queryFn: () => got(api.GET("/v1/rule-parts/samples", { params: { query: { event_type: type ?? "" } } })),
    enabled: type !== undefined,
  }).data;
}

/** All versions of a rule, the oldest first; none of one that was never published. */
export function useVersions(name: string) {
  return useQuery({
    queryKey: ["rule", name],
    queryFn: async () => {
      try {
        return (await got(api.GET("/v1/rules/{name}", { params: { path: { name } } }))).rules;
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return [];
        throw error;
      }
    },
  });
}
