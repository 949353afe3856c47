// A control with its name above it, which is also what is read out.
import type { ReactNode } from "react";

export function Labelled({ words, children }: { words: string; children: (label: string) => ReactNode }) {
  return (
    <div className="labelled">
      <span className="soft">{words}</span>
      {children(words)}
    </div>
  );
}
