// Who is logged in, and what that person may do.
import { createContext, useContext } from "react";
import type { Session } from "../api/client";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("used outside a session");
  return session;
}

export function useMay(): (scope: string) => boolean {
  const { scopes } = useSession();
  return (scope) => scopes.includes(scope);
}
