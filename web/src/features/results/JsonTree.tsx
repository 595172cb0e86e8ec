import { useState } from "react";
import type { JsonNode } from "../../results/json_tree.ts";

/** Parts of an object or array that are shown at first, and at each wish for more. */
const STEP = 200;

/** A JSON value that opens part by part. */
export function JsonTree({ node }: { readonly node: JsonNode }) {
  return (
    <div className="json-tree long code" tabIndex={0}>
      <Part node={node} isOpen />
    </div>
  );
}

interface PartProps {
  readonly name?: string;
  readonly node: JsonNode;
  readonly isOpen: boolean;
}

function Part({ name, node, isOpen }: PartProps) {
  const [open, setOpen] = useState(isOpen);
  const [most, setMost] = useState(STEP);
  const label = name === undefined ? null : <span className="jk">{name}: </span>;
  if (node.kind !== "object" && node.kind !== "array") {
    return (
      <p>
        {label}
        <span className={`j-${node.kind}`}>{node.kind === "text" ? JSON.stringify(node.text) : node.text}</span>
      </p>
    );
  }
  const parts: readonly (readonly [string, JsonNode])[] =
    node.kind === "object" ? node.parts : node.parts.slice(0, most).map((part, index) => [String(index), part]);
  const count = node.parts.length;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="dim">{node.kind === "object" ? `{${count}}` : `[${count}]`}</span>
      </summary>
      {open && parts.slice(0, most).map(([key, part], index) => <Part key={index} name={key} node={part} isOpen={count <= 20} />)}
      {open && count > most && (
        <button type="button" className="btn" onClick={() => setMost(most + STEP)}>
          {(count - most).toLocaleString("en-US")} more
        </button>
      )}
    </details>
  );
}
