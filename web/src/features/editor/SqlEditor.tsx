import { historyField } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";
import type { Dialect } from "../../gen/plugin/v1/plugin_pb.ts";
import { placeAmong, signsBefore } from "../../state/format.ts";
import type { EditorNow } from "../../state/pressed.ts";
import { markStatements, type StatementMarks } from "./marks.ts";
import { editorExtensions, type FaultMark, markFaults, setDialect, type EditorEvents } from "./setup.ts";

/** What the page asks of the editor. */
export interface EditorHandle {
  /** The text, and what is selected of it. */
  readonly now: () => EditorNow;
  readonly show: (marks: StatementMarks) => void;
  readonly focus: () => void;
  /** Marks the words at these places, and no others. */
  readonly mark: (faults: readonly FaultMark[]) => void;
  readonly goTo: (at: number) => void;
  /** Writes another text in the place of a part, which one undo takes back. */
  readonly replace: (from: number, to: number, text: string) => void;
}

/** Undo, cursor and selection of each tab, for when it is shown again. */
const remembered = new Map<string, unknown>();

interface SqlEditorProps extends EditorEvents {
  /** What the text belongs to. */
  readonly tabId: string;
  readonly text: string;
  readonly label: string;
  readonly dialect: Dialect | undefined;
  /** Whether it begins with the focus: its panel is the one that is worked in. */
  readonly takesFocus: boolean;
  /** Whether a tab is still there. */
  readonly isOpen: (tabId: string) => boolean;
  readonly ref: Ref<EditorHandle>;
}

/**
 * The SQL editor.
 *
 * It lives in a shadow root: there it adopts its style sheets, so that the page's policy can forbid inline styles.
 */
export function SqlEditor({ tabId, text, label, dialect, takesFocus, isOpen, ref, ...events }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(events);
  latest.current = events;
  const latestOpen = useRef(isOpen);
  latestOpen.current = isOpen;
  const first = useRef({ tabId, text, label, dialect, takesFocus });

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const { tabId: key, text: doc, label: name, dialect: facts } = first.current;
    const extensions = editorExtensions(facts, name, {
      onText: (changed) => latest.current.onText(changed),
      onSelection: (has) => latest.current.onSelection(has),
      onCursor: (at) => latest.current.onCursor(at),
      isForPage: (event) => latest.current.isForPage(event),
      onLeave: () => latest.current.onLeave(),
    });
    const kept = remembered.get(key);
    const fresh = () => EditorState.create({ doc, selection: { anchor: doc.length }, extensions });
    const again = kept === undefined ? fresh() : EditorState.fromJSON(kept, { extensions }, { history: historyField });
    // A text that was changed elsewhere meanwhile has no past here.
    const state = again.doc.toString() === doc ? again : fresh();
    const made = new EditorView({ state, root, parent: root });
    view.current = made;
    // Whoever types elsewhere already goes on there.
    if (first.current.takesFocus && !(document.activeElement instanceof HTMLInputElement)) made.focus();
    return () => {
      remembered.set(key, made.state.toJSON({ history: historyField }));
      // A closed tab's text and past are let go of.
      for (const id of remembered.keys()) if (!latestOpen.current(id)) remembered.delete(id);
      made.destroy();
      view.current = undefined;
    };
  }, []);
  useEffect(() => {
    if (view.current !== undefined) setDialect(view.current, dialect);
  }, [dialect]);

  useImperativeHandle(ref, () => ({
    now: () => {
      const state = view.current?.state;
      if (state === undefined) return { text, from: 0, to: 0, cursor: 0 };
      const { main, ranges } = state.selection;
      const parts = ranges.filter(({ empty }) => !empty);
      const { from, to } = parts[0] ?? main;
      return { text: state.doc.toString(), from, to, cursor: main.head, ...(parts.length > 1 ? { hasParts: true as const } : {}) };
    },
    show: (marks) => {
      if (view.current !== undefined) markStatements(view.current, marks);
    },
    focus: () => view.current?.focus(),
    mark: (faults) => {
      if (view.current !== undefined) markFaults(view.current, faults);
    },
    replace: (from, to, insert) => {
      const { current } = view;
      if (current === undefined) return;
      const { head } = current.state.selection.main;
      // The cursor stays at its place among what is no white space.
      const anchor = from + placeAmong(insert, signsBefore(current.state.sliceDoc(from, Math.max(from, Math.min(to, head)))));
      const selection = head < from || head > to ? {} : { selection: { anchor } };
      current.dispatch({ changes: { from, to, insert }, ...selection, scrollIntoView: true, userEvent: "input.format" });
    },
    goTo: (at) => {
      view.current?.dispatch({ selection: { anchor: Math.min(at, view.current.state.doc.length) }, scrollIntoView: true });
      view.current?.focus();
    },
  }));

  return <div className="sql-editor" ref={host} />;
}
