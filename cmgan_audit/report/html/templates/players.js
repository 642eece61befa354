// One player at a time; within an utterance the next one goes on where the last one was, so that two can be compared.
document.addEventListener("play", (event) => {
  const started = event.target;
  const excerpt = started.closest(".excerpt");
  for (const other of document.querySelectorAll("audio")) {
    if (other === started || other.paused) continue;
    other.pause();
    if (excerpt && other.closest(".excerpt") === excerpt) started.currentTime = other.currentTime;
  }
}, true);
