// Asks before money moves, and keeps a form from being sent twice. Without this script the forms
// work all the same: each carries a key, and the same key never acts twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm === undefined && form.dataset.busy === undefined) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  // What needs no question only looks.
  if (form.dataset.confirm !== undefined) {
    const lines = [...form.querySelectorAll("input[name=quantity]")].filter((input) => Number(input.value) > 0);
    const amount = form.querySelector("[data-amount]")?.value ?? "";
    const asked = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    const question = lines.length
      ? asked.replace(/\{amount\}.*\?/, `${lines.length === 1 ? "one line" : `${lines.length} lines`}?`)
      : asked.replace("{amount}", amount);
    if (!window.confirm(question)) {
      event.preventDefault();
      return;
    }
  }
  sent(form, event.submitter);
});

function sent(form, pressed) {
  form.dataset.sent = "yes";
  const button = pressed ?? form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  button.textContent = "Working…";
}

// A payment's page follows what happens to it: each event has the page read again, and its parts taken
// from there. What someone is filling in is left alone.
const watched = document.querySelector("[data-stream]");
if (watched) {
  const source = new EventSource(watched.dataset.stream);
  let wanted = false;
  let reading = false;
  const refresh = async () => {
    wanted = true;
    if (reading) return;
    reading = true;
    while (wanted) {
      wanted = false;
      // Not the address: an action that was refused is shown under its own.
      const answer = await fetch(watched.dataset.stream.replace(/\/stream.*$/, ""), { headers: { accept: "text/html" } }).catch(() => null);
      if (!answer?.ok) break;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
        const busy = part.querySelector("form") && (part.contains(document.activeElement) || part.querySelector("[data-sent]") || edited(part));
        if (fresh && !busy && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
      }
      watched.textContent = "This page was updated.";
    }
    reading = false;
  };
  source.addEventListener("message", refresh);
  window.addEventListener("pagehide", () => source.close());
}

function edited(part) {
  return [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);
}

// A page that comes back from the browser's cache is fresh again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// The secret of an invitation stands behind the # of its link, which browsers send to nobody. It
// goes into its field and out of the address.
const invitation = document.querySelector("input[data-from-fragment]");
if (invitation && window.location.hash.length > 1) {
  invitation.value = window.location.hash.slice(1);
  window.history.replaceState(null, "", window.location.pathname);
  document.querySelector("#password")?.focus();
}
