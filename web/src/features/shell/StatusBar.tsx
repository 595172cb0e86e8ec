import { SecretPlace } from "../../gen/core/v1/connection_pb.ts";
import { environmentOf } from "../../state/connections.ts";
import type { Keeping } from "../../state/drafts.ts";
import { valueOf } from "../../state/load.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { RunStatus } from "./RunStatus.tsx";

const PLACE_WORDS: Readonly<Record<SecretPlace, string>> = {
  [SecretPlace.UNSPECIFIED]: "No password",
  [SecretPlace.ASK]: "Asked each time",
  [SecretPlace.KEYRING]: "Keyring",
  [SecretPlace.VAULT]: "Vault",
};

/** What people should know of how Core keeps what they type. Sealed is what they expect. */
const KEEPING_WORDS: Readonly<Partial<Record<Keeping, readonly [string, string]>>> = {
  memory: ["Drafts in memory", "Core has no master key, and keeps what is typed until it ends. So does this page."],
  plain: ["Drafts in the clear", "Core keeps what is typed unencrypted, as its operator has set it."],
};

/** How the connection of the active tab stands. */
export function StatusBar() {
  const app = useApp();
  const tabId = usePart(app.tabs.store, (state) => state.activeId);
  const activeId = usePart(app.tabs.store, (state) => state.tabs.find((tab) => tab.id === tabId)?.connectionId);
  const connection = usePart(app.connections.store, (state) => valueOf(state)?.find(({ id }) => id === activeId));
  const drivers = usePart(app.drivers.store, (state) => valueOf(state)?.usable.length);
  const session = usePart(app.sessions.store, (sessions) => sessions.get(tabId ?? ""));
  const keeping = usePart(app.drafts.keeping, ({ value }) => value);
  const trouble = usePart(app.drafts.trouble, ({ why }) => why);
  const isFull = usePart(app.tabs.isFull, ({ value }) => value);
  const selected = usePart(app.selected, (state) => state);
  const spec = connection?.spec;
  return (
    <footer className={`status ${environmentOf(spec)}`} aria-label="Status" tabIndex={-1}>
      {spec === undefined ? (
        <span>No connection</span>
      ) : (
        <>
          <span>
            <b>{spec.name}</b>
          </span>
          <span className={spec.readOnly ? "ink" : ""}>
            {spec.readOnly && <Icon name="lock" />}
            {spec.readOnly ? "Read-only" : "Read and write"}
          </span>
          {tabId !== undefined && session === undefined && spec.secretPlace !== SecretPlace.ASK && <span className="plain hide-phone">One-shot</span>}
          {session?.kind === "open" && (
            <span className={session.endsSoon ? "hide-phone warnish" : "hide-phone"}>
              <Icon name="hold" />
              {session.endsSoon ? "Leased, ends soon unless it is used" : "Leased"}
            </span>
          )}
          {tabId !== undefined && <RunStatus tabId={tabId} face="state" />}
        </>
      )}
      {session?.kind === "lost" && <span className="hide-phone warnish">Session ended: {session.why}</span>}
      <span className="gap" />
      {selected.text !== "" && (
        <span className="hide-phone selected" title={selected.exact === selected.text ? undefined : selected.exact}>
          {selected.text}
        </span>
      )}
      {tabId !== undefined && spec !== undefined && <RunStatus tabId={tabId} face="numbers" />}
      {spec === undefined && drivers !== undefined && (
        <span>
          <Icon name="plug" />
          {drivers === 1 ? "1 driver" : `${drivers} drivers`}
        </span>
      )}
      {isFull && (
        <span className="warnish" role="status" title="These texts are too long for the browser to keep: after a reload the page opens what Core has of them.">
          Kept by Core alone
        </span>
      )}
      {trouble !== undefined && (
        <span className="warnish" role="status" title={`${trouble}. This page has all that was typed, and tries again.`}>
          Not saved in Core yet
        </span>
      )}
      {KEEPING_WORDS[keeping] !== undefined && (
        <span className="hide-mid" title={KEEPING_WORDS[keeping]?.[1]}>
          {KEEPING_WORDS[keeping]?.[0]}
        </span>
      )}
      {spec !== undefined && spec.secretPlace !== SecretPlace.UNSPECIFIED && (
        <span className="hide-mid">
          <Icon name="key" />
          {PLACE_WORDS[spec.secretPlace]}
        </span>
      )}
    </footer>
  );
}
