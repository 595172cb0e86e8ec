import { useEffect, useRef, useState } from "react";
import { SecretPlace } from "../../gen/core/v1/connection_pb.ts";
import { type Imported, importConnection, importPlace } from "../../state/import_connections.ts";
import { importAll } from "../../state/import_run.ts";
import { type FoundConnection, IMPORT_CHARACTERS_MAX, IMPORT_MAX, type ImportList, readImport } from "../../state/import_text.ts";
import { valueOf } from "../../state/load.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { useApp, usePart } from "../AppContext.ts";

/** Takes connections from what other programs have written. */
export function ImportDialog({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const place = usePart(app.drivers.store, (state) => importPlace(valueOf(state)?.places));
  const [text, setText] = useState("");
  const [{ found, skipped }, setList] = useState<ImportList>(() => readImport(""));
  const [folder, setFolder] = useState("");
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const [done, setDone] = useState<ReadonlyMap<number, Imported>>(new Map());
  const [run, setRun] = useState<"none" | "busy" | "stopping" | "stopped">("none");
  const [problem, setProblem] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController>(undefined);
  const isGone = useRef(false);
  const wanted = found.filter(({ line }) => !left.has(line) && done.get(line)?.kind !== "saved" && done.get(line)?.kind !== "there");
  const passwords = wanted.filter(({ password }) => password !== undefined).length;
  const isBusy = run === "busy" || run === "stopping";
  const isOver = done.size > 0 && !isBusy && wanted.length === 0;

  const read = (now: string) => {
    setProblem(now.length > IMPORT_CHARACTERS_MAX ? "This is too long for a list of connections." : "");
    if (now.length > IMPORT_CHARACTERS_MAX) return;
    setText(now);
    setList(readImport(now));
    setLeft(new Set());
    setDone(new Map());
    setRun("none");
  };
  const save = async () => {
    // A second click is the first one's.
    if (running.current !== undefined) return;
    setRun("busy");
    const stop = new AbortController();
    running.current = stop;
    const failures: string[] = [];
    const saved = new Set([...done].flatMap(([line, { kind }]) => (kind === "failed" ? [] : [line])));
    const tell = ({ line }: FoundConnection, became: Imported) => {
      if (became.kind === "failed") failures.push(became.why);
      else saved.add(line);
      setDone((before) => new Map(before).set(line, became));
    };
    await importAll(wanted.slice(0, IMPORT_MAX), (one) => importConnection(app, one, folder.trim()), tell, stop.signal);
    running.current = undefined;
    // A window that is left open holds no password that it needs no more.
    setList({ found: found.map((one) => (saved.has(one.line) ? { ...one, password: undefined } : one)), skipped });
    if (found.every(({ line }) => saved.has(line))) setText("");
    setRun(stop.signal.aborted ? "stopped" : "none");
    // Nobody sees the list any more.
    if (isGone.current && failures.length > 0) app.toasts.fail(`Not imported: ${failures.length}`, failures.join("\n"));
  };
  useEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
      running.current?.abort();
    };
  }, []);
  /** What is on its way is stopped first: whoever leaves sees what became of the others. A second time leaves all the same. */
  const leave = () => {
    if (run !== "busy") return onClose();
    running.current?.abort();
    setRun("stopping");
  };
  const flip = (line: number) => {
    const now = new Set(left);
    if (!now.delete(line)) now.add(line);
    setLeft(now);
  };

  return (
    <Dialog label="Import connections" className="dialog import" onClose={leave}>
      <div className="head">
        <h2>Import connections</h2>
        <span className="grow" />
        <Button label="Close" icon="close" iconOnly keys="Esc" onClick={leave} />
      </div>
      <div className="import-body">
        <p className="say wrap">URLs, one a line; lines of a .pgpass file; or a pg_service.conf. They are read in this page. Passwords in them are shown in this field alone, until all is imported.</p>
        <span className="field code area">
          <textarea
            aria-label="List of connections"
            data-first
            rows={5}
            // What comes back is told at its line.
            readOnly={isBusy}
            spellCheck={false}
            autoComplete="off"
            placeholder={"postgresql://ada@db.example.org/shop\nsqlite:/srv/books.db"}
            value={text}
            onChange={(event) => read(event.target.value)}
          />
        </span>
        <input
          ref={file}
          type="file"
          hidden
          onChange={(event) => {
            void event.target.files?.[0]?.text().then(read);
            event.target.value = "";
          }}
        />
        <div className="import-line">
          <Button label="Open a file…" icon="clip" look="line" disabled={isBusy} onClick={() => file.current?.click()} />
          <span className="grow" />
          <label className="field small">
            <input aria-label="Folder" placeholder="Folder, such as work/eu" value={folder} onChange={(event) => setFolder(event.target.value)} />
          </label>
        </div>
        {problem !== "" && (
          <p className="danger" role="alert">
            {problem}
          </p>
        )}
        {(found.length > 0 || skipped.length > 0) && (
          <ul className="import-list" tabIndex={0} aria-label="What was found">
            {found.map((one) => (
              <FoundRow key={one.line} found={one} isWanted={!left.has(one.line)} became={done.get(one.line)} isBusy={isBusy} onFlip={() => flip(one.line)} />
            ))}
            {skipped.map(({ line, why }) => (
              <li key={line} className="dim">
                <Icon name="dash" />
                <span className="grow">
                  Line {line}: {why}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="foot">
        <span className="say wrap grow" role="status">
          {run === "stopping" && "Stopping after this one."}
          {run !== "stopping" && done.size > 0 && `${run === "stopped" ? "Stopped. " : ""}${saysDone([...done.values()])} `}
          {!isBusy && passwords > 0 && (place === undefined ? "Passwords are left out: there is neither keyring nor vault. They are asked for." : `Passwords go to the ${place === SecretPlace.VAULT ? "vault" : "keyring"}.`)}
        </span>
        <Button label={isBusy ? "Stop" : done.size > 0 ? "Close" : "Cancel"} big disabled={run === "stopping"} onClick={leave} />
        {!isOver && (
          <Button
            label={wanted.length === 1 ? "Import 1 connection" : `Import ${Math.min(wanted.length, IMPORT_MAX)} connections`}
            look="primary"
            big
            disabled={isBusy || wanted.length === 0}
            onClick={() => void save()}
          />
        )}
      </div>
    </Dialog>
  );
}

/** `3 imported, 1 was there, 1 failed.` */
function saysDone(became: readonly Imported[]): string {
  const count = (kind: Imported["kind"]) => became.filter((one) => one.kind === kind).length;
  const parts = [`${count("saved")} imported`, count("there") === 0 ? "" : `${count("there")} there before`, count("failed") === 0 ? "" : `${count("failed")} failed`];
  return `${parts.filter((part) => part !== "").join(", ")}.`;
}

interface FoundRowProps {
  readonly found: FoundConnection;
  readonly isWanted: boolean;
  readonly became: Imported | undefined;
  readonly isBusy: boolean;
  readonly onFlip: () => void;
}

function FoundRow({ found, isWanted, became, isBusy, onFlip }: FoundRowProps) {
  const { leadsTo } = found;
  const where = leadsTo.kind === "url" ? leadsTo.url : leadsTo.values.map(([name, value]) => `${name}=${value}`).join(" ");
  return (
    <li>
      {became === undefined || became.kind === "failed" ? (
        <input type="checkbox" aria-label={`Import ${found.name}`} checked={isWanted} disabled={isBusy} onChange={onFlip} />
      ) : (
        <Icon name="check" className="ok" />
      )}
      <span className="grow">
        <b>{became?.kind === "saved" ? became.name : found.name}</b> <span className="code dim">{where}</span>
        {became?.kind === "failed" && <span className="danger"> {became.why}</span>}
        {became?.kind === "there" && <span className="dim"> {became.name} leads there already</span>}
      </span>
      {found.password !== undefined && (
        <span className="dim" title="With a password">
          <Icon name="key" />
        </span>
      )}
    </li>
  );
}
