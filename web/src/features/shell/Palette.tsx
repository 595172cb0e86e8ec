import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Action } from "../../actions/action.ts";
import { ACTIONS } from "../../actions/all.ts";
import { valueOf } from "../../state/load.ts";
import { type Piece, piecesWithin, rankWithin } from "../../state/search.ts";
import type { App } from "../../state/app.ts";
import { RelationKind } from "../../gen/plugin/v1/catalog_pb.ts";
import { openTable } from "../../state/open_table.ts";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { useApp, useKeys } from "../AppContext.ts";

interface Entry {
  readonly key: string;
  readonly group: string;
  readonly icon: IconName;
  readonly name: string;
  readonly where?: string;
  /** The schema that it lies in. */
  readonly holder?: string;
  readonly keys?: string | undefined;
  readonly run: () => void;
}

type Hit = Entry & { readonly pieces: readonly Piece[] };

const SHOWN_MAX = 60;

/** Every command, connection and known table, by a few letters of its name. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const keysOf = useKeys();
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const entries = useMemo(() => entriesOf(app, keysOf), [app]);
  const hits = useMemo(() => hitsOf(entries, wanted.trim()), [entries, wanted]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, hits]);

  const run = (hit: Hit | undefined) => {
    if (hit === undefined) return;
    onClose();
    // After the dialog has given the focus back, for the command may move it.
    setTimeout(hit.run);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Partial<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 };
    const to = moves[event.key];
    if (event.key === "Enter") run(hits[at]);
    else if (to !== undefined) {
      const wraps = event.key.startsWith("Arrow");
      setAt(wraps ? (to + hits.length) % Math.max(1, hits.length) : Math.max(0, Math.min(hits.length - 1, to)));
    } else return;
    event.preventDefault();
  };

  return (
    <Dialog label="Command palette" className="palette" onClose={onClose}>
      <div className="pq">
        <Icon name="search" />
        <input
          className="grow"
          role="combobox"
          aria-label="Search or run a command"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={hits[at] === undefined ? undefined : `palette-${at}`}
          placeholder="Search or run a command"
          autoComplete="off"
          spellCheck={false}
          value={wanted}
          onChange={(event) => {
            setWanted(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id="palette-list" role="listbox" aria-label="Commands" ref={list}>
        {hits.map((hit, index) => [
          hit.group !== hits[index - 1]?.group && (
            <li key={`group ${hit.group}`} className="grp" role="presentation">
              {hit.group}
            </li>
          ),
          <li
            key={hit.key}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setAt(index)}
            onClick={() => run(hit)}
          >
            <Icon name={hit.icon} />
            <span className="grow">
              {hit.pieces.map((piece, part) => (piece.isMatch ? <mark key={part}>{piece.text}</mark> : piece.text))}
              {hit.where !== undefined && <em>{hit.where}</em>}
            </span>
            {hit.keys !== undefined && <kbd>{hit.keys}</kbd>}
          </li>,
        ])}
        {hits.length === 0 && (
          <li className="none" role="presentation">
            No match. Tables are found once their connection is open.
          </li>
        )}
      </ul>
      <div className="pf">
        <span>
          <kbd>↑↓</kbd> choose
        </span>
        <span>
          <kbd>↵</kbd> run
        </span>
      </div>
    </Dialog>
  );
}

function hitsOf(entries: readonly Entry[], wanted: string): readonly Hit[] {
  const groups = new Map<string, { readonly entry: Entry; readonly rank: number }[]>();
  for (const entry of entries) {
    // Tables are many: they are listed when something is looked for.
    if (wanted === "" && entry.group === "Tables") continue;
    const rank = rankWithin(entry.holder ?? "", entry.name, wanted);
    if (rank === undefined) continue;
    const group = groups.get(entry.group) ?? [];
    groups.set(entry.group, group);
    group.push({ entry, rank });
  }
  // What is shown alone is taken to pieces.
  return [...groups.values()]
    .flatMap((group) => group.toSorted((a, b) => a.rank - b.rank).slice(0, SHOWN_MAX))
    .map(({ entry }) => ({ ...entry, pieces: piecesWithin(entry.name, wanted) }));
}

function entriesOf(app: App, keysOf: (action: Action) => string | undefined): readonly Entry[] {
  const commands = ACTIONS.flatMap((action): readonly Entry[] =>
    action.name === "Search or run a command" || !(action.enabled?.(app) ?? true)
      ? []
      : [
          {
            key: action.name,
            group: "Commands",
            icon: action.icon,
            name: action.name,
            keys: keysOf(action),
            run: () => action.run(app),
          },
        ],
  );
  const list = valueOf(app.connections.store.getState()) ?? [];
  const canRun = app.runs.canRun.getState().value === true;
  const connections = list.map((connection): Entry => ({
    key: connection.id,
    group: "Query a connection",
    icon: "prompt",
    name: connection.spec?.name ?? "",
    run: () => void app.tabs.open(connection.id),
  }));
  if (!canRun) return commands;
  let place = 0;
  const tables = [...app.schemas.store.getState().catalogs].flatMap(([connectionId, catalog]) => {
    const connection = app.connections.find(connectionId);
    return (valueOf(catalog)?.schemas ?? []).flatMap(({ relations }) =>
      relations.map((relation): Entry => {
        return {
          // By its place: names would have to be quoted, ten thousand times.
          key: `${connectionId} ${place++}`,
          group: "Tables",
          icon: relation.kind === RelationKind.VIEW ? "view" : "table",
          name: relation.name,
          holder: relation.schema,
          where: `${relation.schema} · ${connection?.spec?.name ?? ""}`,
          run: () => openTable(app, connectionId, relation),
        };
      }),
    );
  });
  return [...commands, ...connections, ...tables];
}
