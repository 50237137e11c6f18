// What is typed is kept after a pause, when the page goes, and before anything else is asked.

const PAUSE = 700; // milliseconds without a key after which what was typed is kept

export function draftsOf(count, ask) {
  const drafts = Array.from({ length: count }, (_, place) => {
    const draft = { timer: 0, read: null, kept: "" };
    draft.keep = () => {
      clearTimeout(draft.timer);
      const raw = draft.read?.() ?? draft.kept;
      draft.read = null;
      if (raw !== draft.kept) ask({ do: "draft", place, raw });
      draft.kept = raw;
    };
    draft.typing = (read) => {
      clearTimeout(draft.timer);
      draft.read = read;
      draft.timer = setTimeout(draft.keep, PAUSE);
    };
    return draft;
  });
  const keep = () => drafts.forEach((draft) => draft.keep());
  const leaving = () => { if (document.visibilityState === "hidden") keep(); };
  document.addEventListener("visibilitychange", leaving);
  return {
    at: (place) => drafts[place],
    close() {
      keep();
      document.removeEventListener("visibilitychange", leaving);
    },
  };
}
