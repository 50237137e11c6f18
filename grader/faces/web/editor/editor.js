// The editor for code, loaded when a learner goes to write some. It stands in a shadow root, where its style sheets are objects
// and no inline styles, which the page forbids. The field of the form stays, out of sight, and holds what is typed.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--sunk)", border: "1.5px solid var(--edge)", borderRadius: "var(--r)", overflow: "hidden" },
  "&.cm-focused": { outline: "2px solid var(--act)", outlineOffset: "2px" },
  ".cm-scroller": { font: "0.93rem/1.55 var(--mono)", overflowX: "auto" },
  ".cm-content": { padding: "0.8rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 1rem 0 0.6rem" },
  ".cm-gutters": { color: "var(--quiet)", backgroundColor: "transparent", border: "none", padding: "0 0.3rem 0 0.4rem" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--edge)" },
});

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null, tags.self], color: "var(--word)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: tags.number, color: "var(--number)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
]);

// Ctrl+Enter checks the answer: the page sees it, the editor only must not make a line of it.
const check = Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => true }]));

/** Put an editor in place of a field, with what is in it, its selection and its focus. */
export function mount(area) {
  const host = document.createElement("div");
  host.className = "editor";
  const name = area.labels[0];
  const root = host.attachShadow({ mode: "open" });
  const rows = EditorView.theme({ ".cm-content, .cm-gutter": { minHeight: `${area.rows * 1.55 * 0.93}rem` } });
  const focused = document.activeElement === area;
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      selection: { anchor: area.selectionStart, head: area.selectionEnd },
      extensions: [
        check, history(), lineNumbers(), python(), indentUnit.of("    "), indentOnInput(), bracketMatching(), syntaxHighlighting(colors),
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]), look, rows,
        EditorView.contentAttributes.of({ "aria-label": name ? name.textContent : "Your code", spellcheck: "false", autocapitalize: "off" }),
        EditorState.changeFilter.of((change) => change.newDoc.length <= area.maxLength),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  area.after(host);
  area.hidden = true;
  name?.addEventListener("click", () => view.focus());
  if (focused) view.focus();
}
