import type { Connection } from "../../gen/core/v1/connection_pb.ts";
import { type Relation, RelationKind } from "../../gen/plugin/v1/catalog_pb.ts";
import { environmentOf } from "../../state/connections.ts";
import { shortType, typeFamily } from "../../results/type_family.ts";
import { aboutCount, type Group, type TreeRow } from "../../state/tree.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { driverIcon } from "../connections/driver_icon.ts";

interface TreeRowViewProps {
  readonly id: string;
  readonly row: TreeRow;
  readonly top: number;
  readonly isSelected: boolean;
  /** What can be done is a button's as well: a finger has no right button. */
  readonly hasButton: boolean;
  readonly isLast: boolean;
  readonly onSelect: () => void;
  readonly onFlip: () => void;
  readonly onOpen: () => void;
  readonly onMenu: (x: number, y: number) => void;
}

const GROUP_NAMES: Readonly<Record<Group, string>> = { tables: "Tables", views: "Views", routines: "Functions" };
const GROUP_ICONS: Readonly<Record<Group, IconName>> = { tables: "tables", views: "view", routines: "fn" };

/** One row of the tree. */
export function TreeRowView(props: TreeRowViewProps) {
  const { row } = props;
  const environment = environmentOf(row.connection?.spec);
  const isOpen = "open" in row ? row.open : undefined;
  const classes = ["ti", row.kind === "connection" ? "conn" : "", row.kind === "column" ? "col" : "", `edge-${environment}`];
  if (props.isLast) classes.push("edge-end");
  return (
    <div
      id={props.id}
      className={classes.join(" ")}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={props.isSelected}
      aria-expanded={isOpen}
      style={{ top: props.top, paddingLeft: 6 + row.depth * 12 }}
      onClick={(event) => {
        props.onSelect();
        if (row.kind === "problem" && event.detail === 1) props.onOpen();
        // A second click opens; the first one folds only where nothing else is to be opened.
        if (isOpen !== undefined && (event.detail === 1 || row.kind !== "relation")) {
          const onTwist = event.target instanceof Element && event.target.closest(".tw") !== null;
          if (onTwist || row.kind !== "relation") props.onFlip();
        }
      }}
      onDoubleClick={() => {
        if (row.kind === "relation") props.onOpen();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        props.onMenu(event.clientX, event.clientY);
      }}
    >
      {isOpen === undefined ? <span className="tw" /> : <Icon name={isOpen ? "down" : "right"} small className="tw" />}
      <Face row={row} />
      {props.hasButton && (
        <button
          type="button"
          className="rm"
          tabIndex={-1}
          // Screen readers have the row's own menu.
          aria-hidden="true"
          onClick={(event) => {
            event.stopPropagation();
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            props.onMenu(left, bottom);
          }}
        >
          <Icon name="more" />
        </button>
      )}
    </div>
  );
}

function ConnectionFace({ connection }: { readonly connection: Connection }) {
  const app = useApp();
  const { spec } = connection;
  const isRefreshing = usePart(app.schemas.store, ({ refreshing }) => refreshing.has(connection.id));
  const iconName = usePart(app.drivers.store, () => app.drivers.find(spec?.driverType ?? "")?.iconName);
  return (
    <>
      <Icon name={driverIcon(iconName)} />
      <span className="n">{spec?.name}</span>
      {isRefreshing && (
        <span className="m" title="Reading the catalog again">
          <Spinner />
        </span>
      )}
      {spec?.readOnly === true && (
        <span className="m" title="Read-only">
          <Icon name="lock" small />
        </span>
      )}
    </>
  );
}

function Face({ row }: { readonly row: TreeRow }) {
  switch (row.kind) {
    case "folder":
      return <span className="n dim">{row.name}</span>;
    case "connection":
      return <ConnectionFace connection={row.connection} />;
    case "schema":
      return (
        <>
          <Icon name="schema" />
          <span className="n">{row.schema.name}</span>
          {!row.open && <span className="m">{row.count}</span>}
        </>
      );
    case "group":
      return (
        <>
          <Icon name={GROUP_ICONS[row.group]} />
          <span className="n">{GROUP_NAMES[row.group]}</span>
          <span className="m">{row.count.toLocaleString("en-US")}</span>
        </>
      );
    case "relation":
      return (
        <>
          <Icon name={relationIcon(row.relation)} />
          <span className="n" title={row.relation.comment}>
            {row.relation.name}
          </span>
          {row.relation.rowEstimate !== undefined && <span className="m">{aboutCount(row.relation.rowEstimate)}</span>}
        </>
      );
    case "routine":
      return (
        <>
          <Icon name="fn" />
          <span className="n" title={row.routine.comment}>
            {row.routine.name}
          </span>
          <span className="m code">{row.routine.result}</span>
        </>
      );
    case "column": {
      const { column, isPrimary, references } = row.column;
      const icon = isPrimary ? "key" : references !== "" ? "link" : TYPE_ICONS[typeFamily(column.databaseType)];
      return (
        <>
          <Icon name={icon} {...(isPrimary ? { className: "key" } : {})} />
          <span className="n" title={references === "" ? column.comment : `points to ${references}`}>
            {column.name}
          </span>
          <span className="m code" title={column.databaseType}>
            {shortType(withoutSchema(column.databaseType, row.relation.schema))}
          </span>
        </>
      );
    }
    case "loading":
      return (
        <>
          <Spinner />
          <span className="n dim late">{row.what}</span>
        </>
      );
    case "nothing":
      return <span className="n dim">{row.what}</span>;
    case "problem":
      return (
        <>
          <Icon name="error" className="danger" />
          <span className="n danger" title={`${row.problem.message} ${row.problem.advice}`}>
            {row.problem.message}
          </span>
        </>
      );
  }
}

/** A type that stands in the schema of its table needs not say so. */
function withoutSchema(type: string, schema: string): string {
  return schema !== "" && type.startsWith(`${schema}.`) ? type.slice(schema.length + 1) : type;
}

const TYPE_ICONS: Readonly<Record<ReturnType<typeof typeFamily>, IconName>> = {
  number: "t-num",
  text: "t-text",
  boolean: "t-enum",
  time: "t-time",
  json: "t-json",
  binary: "t-text",
  other: "t-enum",
};

function relationIcon({ kind }: Relation): IconName {
  return kind === RelationKind.VIEW || kind === RelationKind.MATERIALIZED_VIEW ? "view" : "table";
}
