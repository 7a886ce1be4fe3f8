// Keeps a page of figures fresh while somebody looks at it. Without this script the page is as fresh as
// when it was opened.
const every = Number(document.querySelector("[data-refresh]")?.dataset.refresh ?? 0) * 1000;

async function refresh() {
  if (document.visibilityState === "visible") {
    const answer = await fetch(window.location.href, { headers: { accept: "text/html" }, redirect: "error" }).catch(() => null);
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
        // What somebody reads or has unfolded is left alone.
        const busy = part.contains(document.activeElement) || part.querySelector("details[open]");
        if (fresh && !busy && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
      }
    }
  }
  setTimeout(refresh, every);
}

if (every > 0) setTimeout(refresh, every);
