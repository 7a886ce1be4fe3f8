// Keeps a counter's page in step with the shopper's phone: asks for the part that changes, and puts
// it in when it has changed. Without this script the page has a button that does the same.
const place = document.getElementById("live");
const EVERY_MS = 1000;

async function look() {
  try {
    const answer = await fetch(place.dataset.live, { headers: { accept: "text/html" }, redirect: "error" });
    if (!answer.ok) return true;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-version]");
    const shown = place.querySelector("[data-version]");
    if (!fresh) return true;
    const same = fresh.dataset.version === shown?.dataset.version && fresh.dataset.stage === shown?.dataset.stage;
    // Nobody's typing is swept away but by news.
    if (!same) {
      const code = shown?.querySelector("img.code");
      const next = fresh.querySelector("img.code");
      if (code && next && code.src === next.src) next.replaceWith(code);
      shown ? shown.replaceWith(fresh) : place.append(fresh);
    }
    return "goesOn" in fresh.dataset;
  } catch {
    return true;
  }
}

async function watch() {
  if (await look()) setTimeout(watch, EVERY_MS);
}

if (place?.querySelector("[data-goes-on]")) setTimeout(watch, EVERY_MS);
