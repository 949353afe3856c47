// A part of a page with its heading.
import type { ReactNode } from "react";

export function Panel({ title, extra, children }: { title: string; extra?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel">
      <h2>
        <span>{title}</span>
        {extra}
      </h2>
      {children}
    </section>
  );
}

export function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div className="figure">
      <span className="soft">{name}</span>
      <b>{value}</b>
    </div>
  );
}
