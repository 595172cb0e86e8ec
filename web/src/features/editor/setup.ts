import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder,
  rectangularSelection,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Dialect } from "../../gen/plugin/v1/plugin_pb.ts";
import { dialectOf } from "./dialect.ts";
import { statementMarks } from "./marks.ts";

const language = new Compartment();

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], color: "var(--syn-keyword)" },
  { tag: tags.typeName, color: "var(--syn-type)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--syn-string)" },
  { tag: tags.number, color: "var(--syn-number)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--syn-comment)" },
  { tag: tags.special(tags.name), color: "var(--syn-parameter)" },
  { tag: [tags.punctuation, tags.operator, tags.separator, tags.paren, tags.brace, tags.squareBracket], color: "var(--syn-punct)" },
  { tag: tags.standard(tags.name), color: "var(--syn-function)" },
  { tag: tags.name, color: "var(--syn-name)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text-1)", backgroundColor: "transparent", fontSize: "var(--editor-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-code)", fontVariantLigatures: "none", lineHeight: "calc(var(--editor-size) + 7px)", scrollbarWidth: "thin", scrollbarColor: "var(--line-control) transparent" },
  ".cm-content": { padding: "6px 0", caretColor: "var(--accent-mark)" },
  ".cm-line": { padding: "0 12px 0 8px" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--accent-mark)", marginLeft: "-1px" },
  ".cm-gutters": { backgroundColor: "var(--sheet)", color: "var(--text-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "36px", padding: "0 8px 0 0", fontSize: "11px" },
  ".cm-activeLine": { backgroundColor: "var(--editor-line)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--editor-line)", color: "var(--text-1)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--editor-select)" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-faint)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--fill-press)", outline: "none" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-fault": { textDecoration: "underline wavy var(--danger-mark) 1.25px", textUnderlineOffset: "4px", textDecorationSkipInk: "none", backgroundColor: "var(--danger-soft)" },
  ".cm-tooltip": { background: "var(--raised)", border: "none", borderRadius: "var(--radius-3)", boxShadow: "var(--shadow-pop)", font: "12px/18px var(--font-ui)", color: "var(--text-1)" },
  ".cm-panels": { background: "var(--sunken)", color: "var(--text-1)", borderColor: "var(--line)", font: "12px/16px var(--font-ui)" },
  ".cm-panel.cm-search": { padding: "6px 8px" },
  ".cm-textfield": { background: "var(--fill-control)", border: "1px solid var(--line-control)", borderRadius: "var(--radius-2)", padding: "3px 6px", color: "inherit", font: "inherit" },
  ".cm-button": { backgroundImage: "none", background: "var(--fill-control)", border: "1px solid var(--line-control)", borderRadius: "var(--radius-2)", padding: "3px 8px", color: "inherit", font: "inherit" },
});

/** What a database found fault with, and where. */
export interface FaultMark {
  readonly at: number;
  readonly message: string;
}

const setFaults = StateEffect.define<readonly FaultMark[]>();

/** The marks under faults. They go as soon as the text is changed, for then they say nothing any more. */
const faults = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(setFaults)) continue;
      const { state } = transaction;
      const inside = effect.value.filter(({ at }) => at <= state.doc.length);
      now = Decoration.set(inside.flatMap((fault) => markOf(state, fault)), true);
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function markOf(state: EditorState, { at, message }: FaultMark) {
  const from = Math.min(at, Math.max(0, state.doc.length - 1));
  // A name with what qualifies it, else one character.
  const word = /^[\p{L}\p{N}_$.]+/u.exec(state.sliceDoc(from, from + 200))?.[0] ?? "";
  const to = Math.min(state.doc.length, from + Math.max(1, word.length));
  return from === to ? [] : [Decoration.mark({ class: "cm-fault", attributes: { title: message } }).range(from, to)];
}

export interface EditorEvents {
  readonly onText: (text: string) => void;
  readonly onSelection: (hasSelection: boolean) => void;
  /** The cursor stands elsewhere. */
  readonly onCursor: (at: number) => void;
  /** Whether a key press is for the page, which hears of it too. */
  readonly isForPage: (event: KeyboardEvent) => boolean;
  /** Leads to the results. */
  readonly onLeave: () => void;
}

/** The editor's behavior. */
export function editorExtensions(facts: Dialect | undefined, label: string, events: EditorEvents): Extension {
  const leave = (): boolean => {
    events.onLeave();
    return true;
  };
  return [
    // What the page does by a key, the editor leaves to it.
    Prec.highest(EditorView.domEventHandlers({ keydown: (event) => events.isForPage(event) })),
    Prec.highest(
      keymap.of([
        { key: "Mod-ArrowDown", run: leave, preventDefault: true },
        { key: "Mod-/", run: toggleComment },
      ]),
    ),
    lineNumbers(),
    history(),
    drawSelection(),
    rectangularSelection(),
    EditorState.allowMultipleSelections.of(true),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    search({ top: true }),
    placeholder("SELECT …"),
    language.of(sql({ dialect: dialectOf(facts) })),
    syntaxHighlighting(colors),
    faults,
    statementMarks,
    look,
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocorrect: "off", autocapitalize: "off" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) events.onText(update.state.doc.toString());
      if (update.selectionSet || update.docChanged) events.onCursor(update.state.selection.main.head);
      if (update.selectionSet || update.docChanged) events.onSelection(update.state.selection.ranges.some((range) => !range.empty));
    }),
    // Esc, then Tab leaves the editor.
    keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
  ];
}

/** Has the editor color another dialect. */
export function setDialect(view: EditorView, facts: Dialect | undefined): void {
  view.dispatch({ effects: language.reconfigure(sql({ dialect: dialectOf(facts) })) });
}

/** Marks the words at which a database found faults, and no others. */
export function markFaults(view: EditorView, marks: readonly FaultMark[]): void {
  view.dispatch({ effects: setFaults.of(marks) });
}
