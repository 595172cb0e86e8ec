import { importConnections } from "../../actions/import_connections.ts";
import { newConnection } from "../../actions/new_connection.ts";
import { newQuery } from "../../actions/new_query.ts";
import { valueOf } from "../../state/load.ts";
import { Icon, Mark } from "../../ui/Icon.tsx";
import { useApp, useKeys, usePart } from "../AppContext.ts";

const SAMPLE = "sample";

/** What there is to do while no tab is open. */
export function Hello() {
  const app = useApp();
  const keysOf = useKeys();
  const state = usePart(app.connections.store, (connections) => connections);
  const canRun = usePart(app.runs.canRun, ({ value }) => value);
  if (canRun === undefined || state.kind === "loading") return <div className="hello" />;
  const list = valueOf(state) ?? [];
  const sample = list.find((connection) => connection.spec?.name === SAMPLE);
  const open = (connectionId: string) => {
    if (!app.toggled.getState().has(connectionId)) app.toggled.setState(new Set(app.toggled.getState()).add(connectionId), true);
    void app.schemas.open(connectionId);
    if (canRun === true) app.tabs.open(connectionId);
  };
  return (
    <div className="hello">
      <Mark big />
      <h1>{list.length === 0 || !canRun ? "Open a connection" : "Start a query"}</h1>
      <p>
        {list.length === 0
          ? "Queries, tables and results live in tabs once a connection is open. Nothing is stored here yet."
          : canRun
            ? "Queries and results live in tabs. Open a connection in the tree to see its tables."
            : "The tree shows what is in its database: tables, views, functions and their columns."}
      </p>
      <div className="starts">
        {list.length > 0 && canRun && (
          <button type="button" onClick={() => newQuery.run(app)}>
            <Icon name="prompt" />
            <span className="grow">New query</span>
            <kbd>{keysOf(newQuery)}</kbd>
          </button>
        )}
        <button type="button" onClick={() => newConnection.run(app)}>
          <Icon name="plus" />
          <span className="grow">New connection</span>
          <kbd>{keysOf(newConnection)}</kbd>
        </button>
        <button type="button" onClick={() => importConnections.run(app)}>
          <Icon name="clip" />
          <span className="grow">Import connections</span>
          <em>URLs, .pgpass</em>
        </button>
        {sample !== undefined && (
          <button type="button" onClick={() => open(sample.id)}>
            <Icon name="d-lite" />
            <span className="grow">Try the sample shop</span>
            <em>SQLite</em>
          </button>
        )}
      </div>
    </div>
  );
}
