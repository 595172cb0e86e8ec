import { type EditorState, type Extension, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

/** The bar before the lines of a statement, and what is said behind it. */
export interface StatementMarks {
  /** The statement that is meant, runs, or was rejected. */
  readonly bar: { readonly from: number; readonly to: number; readonly tone: "meant" | "runs" | "rejected" } | undefined;
  /** What came of statements, at their ends. */
  readonly said: readonly { readonly at: number; readonly text: string }[];
}

const setMarks = StateEffect.define<StatementMarks>();

class Said extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: Said): boolean {
    return other.text === this.text;
  }

  override toDOM(): HTMLElement {
    const span = document.createElement("span");
    span.className = "cm-said";
    span.textContent = this.text;
    // It is also said where results are listed.
    span.setAttribute("aria-hidden", "true");
    return span;
  }
}

function decorations(state: EditorState, { bar, said }: StatementMarks): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { length } = state.doc;
  const marks: { readonly at: number; readonly decoration: Decoration }[] = [];
  if (bar !== undefined && bar.from < length) {
    const [first, last] = [state.doc.lineAt(bar.from).number, state.doc.lineAt(Math.min(bar.to, length)).number];
    for (let number = first; number <= last; number++) {
      const ends = `${number === first ? " cm-first" : ""}${number === last ? " cm-last" : ""}`;
      marks.push({ at: state.doc.line(number).from, decoration: Decoration.line({ class: `cm-stmt cm-${bar.tone}${ends}` }) });
    }
  }
  for (const { at, text } of said) {
    if (at <= length) marks.push({ at: state.doc.lineAt(at).to, decoration: Decoration.widget({ widget: new Said(text), side: 1 }) });
  }
  // Of the same place a line's own decoration comes first.
  for (const { at, decoration } of marks.toSorted((a, b) => a.at - b.at || a.decoration.spec.side - b.decoration.spec.side)) builder.add(at, at, decoration);
  return builder.finish();
}

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setMarks)) now = decorations(transaction.state, effect.value);
    return now;
  },
  provide: (own) => EditorView.decorations.from(own),
});

export const statementMarks: Extension = [
  field,
  EditorView.theme({
    ".cm-stmt": { position: "relative" },
    ".cm-stmt::before": { content: '""', position: "absolute", left: "0", top: "0", bottom: "0", width: "2px", background: "var(--accent-mark)" },
    ".cm-stmt.cm-rejected::before": { background: "var(--danger-mark)" },
    ".cm-first::before": { top: "3px", borderRadius: "1px 1px 0 0" },
    ".cm-last::before": { bottom: "3px", borderRadius: "0 0 1px 1px" },
    ".cm-said": { marginLeft: "24px", font: "400 11px/20px var(--font-ui)", color: "var(--text-3)" },
    "@keyframes cm-breathe": { "50%": { opacity: "0.35" } },
    "@media (prefers-reduced-motion: no-preference)": { ".cm-runs::before": { animation: "cm-breathe 1.6s ease-in-out infinite" } },
  }),
];

export function markStatements(view: EditorView, marks: StatementMarks): void {
  view.dispatch({ effects: setMarks.of(marks) });
}
