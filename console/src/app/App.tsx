// The frame of the console: who is logged in, in which language, and what failed.
import { QueryCache, QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { ConfigProvider } from "antd";
import zhLocale from "antd/locale/zh_CN";
import enLocale from "antd/locale/en_US";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Router } from "wouter";
import { api, got, Refusal, rememberSession, type Session } from "../api/client";
import { Login } from "../pages/Login";
import { SessionContext } from "./session";

const Shell = lazy(() => import("./Shell"));
const RETRIES = 2;
const queries = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      const isOver = error instanceof Refusal && error.status === 401;
      if (isOver) queries.setQueryData(["session"], null);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < RETRIES && !(error instanceof Refusal && error.status < 500),
    },
  },
});
const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;

export function App() {
  const { i18n } = useTranslation();
  return (
    <ConfigProvider
      button={{ autoInsertSpace: false }}
      csp={{ nonce }}
      locale={i18n.language === "en" ? enLocale : zhLocale}
      theme={{ token: { colorPrimary: "#0f5c53", colorInfo: "#0f5c53", borderRadius: 8, fontFamily: "inherit" } }}
    >
      <QueryClientProvider client={queries}>
        <Router base="/console">
          <Entrance />
        </Router>
      </QueryClientProvider>
    </ConfigProvider>
  );
}

function Entrance() {
  const client = useQueryClient();
  const session = useQuery({ queryKey: ["session"], queryFn: readSession, staleTime: 60_000 });
  if (session.isPending) return null;
  if (!session.data) {
    return <Login onLogin={(found) => client.setQueryData(["session"], rememberSession(found))} />;
  }
  return (
    <SessionContext.Provider value={session.data}>
      <Suspense fallback={null}>
        <Shell />
      </Suspense>
    </SessionContext.Provider>
  );
}

async function readSession(): Promise<Session | null> {
  try {
    return rememberSession(await got(api.GET("/v1/session")));
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return null;
    throw error;
  }
}
