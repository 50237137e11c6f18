async ([xml, answers]) => {
  const scores = [];
  for (const answer of answers) {
    document.body.innerHTML = "<qti-item><item-container></item-container></qti-item>";
    const ready = new Promise((done) =>
      document.body.addEventListener("qti-assessment-item-connected", (event) => done(event.detail), { once: true }),
    );
    const container = document.querySelector("item-container");
    await container.updateComplete;
    container.itemXML = xml;
    const item = await ready;
    await item.updateComplete;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (const [name, value] of Object.entries(answer)) item.updateResponseVariable(name, value);
    item.processResponse();
    scores.push([Number(item.getOutcome("SCORE")?.value), item.getOutcome("FEEDBACK")?.value ?? null]);
  }
  return scores;
}
