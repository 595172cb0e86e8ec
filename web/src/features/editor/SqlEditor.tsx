import { historyField } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";
import type { Dialect } from "../../gen/plugin/v1/plugin_pb.ts";
import { editorExtensions, markFault, setDialect, type EditorEvents } from "./setup.ts";

/** What the page asks of the editor. */
export interface EditorHandle {
  /** The selected text, else all of it, and where it begins. */
  readonly script: () => { readonly sql: string; readonly offset: number };
  readonly focus: () => void;
  /** Goes to a place and marks the word there. */
  readonly mark: (at: number | undefined, message: string) => void;
  readonly goTo: (at: number) => void;
}

/** Undo, cursor and selection of each tab, for when it is shown again. */
const remembered = new Map<string, unknown>();

interface SqlEditorProps extends EditorEvents {
  /** What the text belongs to. */
  readonly tabId: string;
  readonly text: string;
  readonly label: string;
  readonly dialect: Dialect | undefined;
  readonly ref: Ref<EditorHandle>;
}

/**
 * The SQL editor.
 *
 * It lives in a shadow root: there it adopts its style sheets, so that the page's policy can forbid inline styles.
 */
export function SqlEditor({ tabId, text, label, dialect, ref, ...events }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(events);
  latest.current = events;
  const first = useRef({ tabId, text, label, dialect });

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const { tabId: key, text: doc, label: name, dialect: facts } = first.current;
    const extensions = editorExtensions(facts, name, {
      onText: (changed) => latest.current.onText(changed),
      onSelection: (has) => latest.current.onSelection(has),
      onRun: () => latest.current.onRun(),
      onLeave: () => latest.current.onLeave(),
    });
    const kept = remembered.get(key);
    const fresh = () => EditorState.create({ doc, selection: { anchor: doc.length }, extensions });
    const again = kept === undefined ? fresh() : EditorState.fromJSON(kept, { extensions }, { history: historyField });
    // A text that was changed elsewhere meanwhile has no past here.
    const state = again.doc.toString() === doc ? again : fresh();
    const made = new EditorView({ state, root, parent: root });
    view.current = made;
    made.focus();
    return () => {
      remembered.set(key, made.state.toJSON({ history: historyField }));
      made.destroy();
      view.current = undefined;
    };
  }, []);
  useEffect(() => {
    if (view.current !== undefined) setDialect(view.current, dialect);
  }, [dialect]);

  useImperativeHandle(ref, () => ({
    script: () => {
      const state = view.current?.state;
      if (state === undefined) return { sql: text, offset: 0 };
      const { from, to, empty } = state.selection.main;
      return empty ? { sql: state.doc.toString(), offset: 0 } : { sql: state.sliceDoc(from, to), offset: from };
    },
    focus: () => view.current?.focus(),
    mark: (at, message) => {
      if (view.current !== undefined) markFault(view.current, at, message);
    },
    goTo: (at) => {
      view.current?.dispatch({ selection: { anchor: Math.min(at, view.current.state.doc.length) }, scrollIntoView: true });
      view.current?.focus();
    },
  }));

  return <div className="sql-editor" ref={host} />;
}
