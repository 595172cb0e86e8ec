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

interface SqlEditorProps extends EditorEvents {
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
export function SqlEditor({ text, label, dialect, ref, ...events }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(events);
  latest.current = events;
  const first = useRef({ text, label, dialect });

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const { text: doc, label: name, dialect: facts } = first.current;
    const extensions = editorExtensions(facts, name, {
      onText: (changed) => latest.current.onText(changed),
      onSelection: (has) => latest.current.onSelection(has),
      onRun: () => latest.current.onRun(),
      onLeave: () => latest.current.onLeave(),
    });
    const made = new EditorView({ state: EditorState.create({ doc, extensions }), root, parent: root });
    made.dispatch({ selection: { anchor: made.state.doc.length } });
    view.current = made;
    made.focus();
    return () => {
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
