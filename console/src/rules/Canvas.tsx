// The canvas: a view of the document. Pieces come from the palette and are connected by dragging, or
// by keyboard through the buttons and the list of what a node comes after.
import "@xyflow/react/dist/style.css";
import {
  Background, Controls, Handle, Position, ReactFlow, ReactFlowProvider, useNodesState, useReactFlow,
  type Connection, type Node, type NodeProps,
} from "@xyflow/react";
import { Button, Select } from "antd";
import { useEffect, useMemo, useRef, useState, type DragEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { Inspector } from "./Inspector";
import type { Fault } from "./asking";
import type { Known } from "./Forms";
import type { Rule } from "./document";
import {
  changed, connected, copied, laidOut, loosened, mayFollow, namesOf, newId, nodesOf, removed, TRIGGER,
  type GraphNode, type Piece, type Place,
} from "./graph";
import { palette } from "./palette";
import type { SheetHeld } from "./useSheet";
import { useNodeWords } from "./words";

type Card = Node<{ node: GraphNode; title: string; detail: string; faults: string[] }, "card">;
const DRAGGED = "application/x-rule-piece";
const NODE_TYPES = { card: CardNode };
let clip: Piece | null = null;

interface Given {
  held: SheetHeld;
  rule: Rule;
  known: Known;
  faults: Fault[];
  canWrite: boolean;
}

export default function Canvas(given: Given) {
  return (
    <ReactFlowProvider>
      <Board {...given} />
    </ReactFlowProvider>
  );
}

function Board({ held, rule, known, faults, canWrite }: Given) {
  const { t, i18n } = useTranslation();
  const words = useNodeWords();
  const flow = useReactFlow();
  const board = useRef<HTMLDivElement>(null);
  const [chosen, choose] = useState<string | null>(null);
  const [toldCount, setTold] = useState("");
  const { loose, places } = held.sheet;
  const graph = useMemo(() => nodesOf(rule, loose), [rule, loose]);
  const [cards, setCards, onCards] = useNodesState<Card>([]);
  const now = { rule, loose };
  const node = graph.find((one) => one.id === chosen) ?? null;

  useEffect(() => {
    const own = laidOut(graph);
    setCards((before) => {
      const kept = new Map(before.map((card) => [card.id, card]));
      return graph.map((one) => ({
        ...kept.get(one.id),
        id: one.id,
        type: "card" as const,
        position: places[one.id] ?? own[one.id] ?? { x: 0, y: 0 },
        selected: one.id === chosen,
        deletable: false,
        ariaLabel: `${words.title(one)} ${words.detail(one)}${one.path === null ? ` ${t("rule.loose")}` : ""}`,
        data: { node: one, title: words.title(one), detail: words.detail(one), faults: faultsOf(one, faults) },
      }));
    });
    // Words follow the language.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [graph, places, chosen, faults, i18n.language]);

  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({ maxZoom: 1, padding: 0.15 }), 60);
    return () => clearTimeout(timer);
  }, [graph.length, flow]);

  function put(next: { rule: Rule; loose: typeof loose } | null, more: { places?: Record<string, Place> } = {}, stroke?: string) {
    if (next && canWrite) held.changeRule(next.rule, { loose: next.loose, ...more }, stroke);
  }

  /** A new piece: after a node if it may stand there, else loose. */
  function add(piece: Piece, after: string | null, place?: Place) {
    const mine = copied(piece, namesOf(now));
    const id = newId(graph.map((one) => one.id), "loose");
    const withLoose = { rule, loose: [...loose, { id, piece: mine }] };
    const joined = after === null ? null : connected(withLoose, after, id);
    if (joined) {
      put(joined);
      const found = nodesOf(joined.rule, joined.loose).find((one) => JSON.stringify(one.value) === JSON.stringify(mine.value));
      choose(found?.id ?? null);
    } else {
      put(withLoose, place ? { places: { ...places, [id]: place } } : {});
      choose(id);
    }
    setTold(t("rule.added"));
  }

  function drop(event: DragEvent) {
    const kind = event.dataTransfer.getData(DRAGGED);
    const piece = palette(known.parts).find((one) => one.name === kind)?.piece;
    if (!piece) return;
    event.preventDefault();
    const over = (event.target as HTMLElement).closest<HTMLElement>(".react-flow__node")?.dataset.id ?? null;
    add(piece, over, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
  }

  function connect({ source, target }: Connection) {
    put(connected(now, source, target));
  }

  function remove(id: string) {
    put(removed(now, id));
    choose(null);
    board.current?.focus();
  }

  function press(event: KeyboardEvent) {
    if ((event.target as HTMLElement).closest("input, textarea, [role=combobox]")) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (isCommand && key === "z") event.shiftKey ? held.redo() : held.undo();
    else if (isCommand && key === "y") held.redo();
    else if (isCommand && key === "c" && node && node.kind !== "trigger") copy(node);
    else if (isCommand && key === "v") paste();
    else if ((key === "delete" || key === "backspace") && node) remove(node.id);
    else return;
    event.preventDefault();
  }

  function copy(one: GraphNode) {
    if (one.kind === "trigger") return;
    clip = structuredClone({ kind: one.kind, value: one.value } as Piece);
    setTold(t("rule.copied"));
  }

  function paste() {
    if (clip) add(clip, chosen);
  }

  const links = graph.flatMap((one) =>
    one.after === null ? [] : [{ id: `${one.after} ${one.id}`, source: one.after, target: one.id, deletable: canWrite, ariaLabel: t("rule.link") }],
  );
  const sources = node && node.kind !== "trigger" ? sourcesOf(graph, node) : [];
  return (
    <div className="canvas" onKeyDown={press} ref={board} tabIndex={-1}>
      {canWrite && (
        <div aria-label={t("rule.palette")} className="palette" role="toolbar">
          {palette(known.parts).map(({ name, piece, word }) => (
            <button
              className="piece"
              draggable
              key={name}
              onClick={() => add(piece, chosen ?? graph.filter((one) => mayFollow(one.kind, piece.kind) && one.path !== null && one.kind !== "action").at(-1)?.id ?? TRIGGER)}
              onDragStart={(event) => event.dataTransfer.setData(DRAGGED, name)}
              type="button"
            >
              {t(word)}
            </button>
          ))}
        </div>
      )}
      <div className="actions tools">
        <Button disabled={!held.canUndo} onClick={held.undo} size="small">{t("rule.undo")}</Button>
        <Button disabled={!held.canRedo} onClick={held.redo} size="small">{t("rule.redo")}</Button>
        <Button disabled={!node || node.kind === "trigger"} onClick={() => node && copy(node)} size="small">{t("rule.copy")}</Button>
        <Button onClick={paste} size="small">{t("rule.paste")}</Button>
        <Button onClick={() => held.change({ places: {} })} size="small">{t("rule.layout")}</Button>
        <span aria-live="polite" className="soft">{toldCount}</span>
      </div>
      <div className="board-and-inspector">
        <div className="board" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
          <ReactFlow
            aria-label={t("rule.canvas")}
            deleteKeyCode={null}
            edges={links}
            fitView
            isValidConnection={({ source, target }) => connected(now, source, target) !== null}
            minZoom={0.2}
            nodeTypes={NODE_TYPES}
            nodes={cards}
            nodesConnectable={canWrite}
            onConnect={connect}
            onEdgeDoubleClick={(_, edge) => put(loosened(now, edge.target))}
            onNodeDragStop={(_, card) => held.change({ places: { ...places, [card.id]: card.position } }, "move")}
            onNodesChange={(changes) => {
              onCards(changes);
              // Arrow keys move a node too, and end no drag.
              const moved = changes.flatMap((one) => (one.type === "position" && one.dragging === false && one.position ? [[one.id, one.position] as const] : []));
              if (moved.length > 0) held.change({ places: { ...places, ...Object.fromEntries(moved) } }, "move");
              const selected = changes.find((one) => one.type === "select" && one.selected);
              if (selected && "id" in selected) choose(selected.id);
            }}
            onPaneClick={() => choose(null)}
            proOptions={{ hideAttribution: false }}
          >
            <Background />
            <Controls showInteractive={false} />
          </ReactFlow>
        </div>
        <aside aria-label={t("rule.inspector")} className="inspector">
          {node ? (
            <>
              <h3>{words.title(node)}</h3>
              {faultsOf(node, faults).map((fault) => (
                <p className="fault" key={fault}>{fault}</p>
              ))}
              {node.kind !== "trigger" && (
                <div className="labelled">
                  <span className="soft">{t("rule.after")}</span>
                  <Select
                    aria-label={t("rule.after")}
                    disabled={!canWrite}
                    onChange={(source: string) => put(source === "" ? loosened(now, node.id) : connected(now, source, node.id))}
                    options={[
                      { value: "", label: t("rule.loose") },
                      ...sources.map((one) => ({ value: one.id, label: `${words.title(one)} · ${words.detail(one)}` })),
                    ]}
                    value={node.after ?? ""}
                  />
                </div>
              )}
              <Inspector
                known={known}
                node={node}
                onChange={(value) => {
                  const next = changed(now, node.id, value);
                  const index = graph.findIndex((one) => one.id === node.id);
                  const id = nodesOf(next.rule, next.loose)[index]?.id ?? null;
                  const place = places[node.id];
                  put(next, id && place && id !== node.id ? { places: { ...places, [id]: place } } : {}, `form ${index}`);
                  choose(id);
                }}
              />
              {node.kind !== "trigger" && canWrite && (
                <Button danger onClick={() => remove(node.id)}>{t("rule.removeNode")}</Button>
              )}
            </>
          ) : (
            <p className="soft">{t("rule.chooseNode")}</p>
          )}
        </aside>
      </div>
    </div>
  );
}

function sourcesOf(graph: GraphNode[], node: GraphNode): GraphNode[] {
  return graph.filter((one) => one.path !== null && one.id !== node.id && mayFollow(one.kind, node.kind as Piece["kind"]));
}

/** What is wrong here, but not in a node that hangs below. */
function faultsOf(node: GraphNode, faults: Fault[]): string[] {
  const path = node.path;
  if (path === null) return [];
  return faults
    .filter(({ path: at }) => at === path || (at.startsWith(path) && /^[.[]/.test(at.slice(path.length)) && !at.startsWith(`${path}.actions[`)))
    .map((fault) => fault.words);
}

function CardNode({ data }: NodeProps<Card>) {
  const { node, title, detail, faults } = data;
  const { t } = useTranslation();
  return (
    <div className={`card card-${node.kind}${node.path === null ? " card-loose" : ""}${faults.length ? " card-wrong" : ""}`}>
      {node.kind !== "trigger" && <Handle position={Position.Top} type="target" />}
      <b>{title}</b>
      <div className="card-detail">{detail}</div>
      {node.path === null && <div className="card-detail soft">{t("rule.loose")}</div>}
      {faults.slice(0, 1).map((fault) => (
        <div className="fault" key={fault}>{fault}</div>
      ))}
      {node.path !== null && <Handle position={Position.Bottom} type="source" />}
    </div>
  );
}
