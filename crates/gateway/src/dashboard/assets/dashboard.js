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

// A page that is watched follows what happens: each event has it read again, and its parts taken from
// there. What someone is filling in is left alone, and whoever stands on a link stays on it.
const watched = document.querySelector("[data-stream]");
if (watched) {
  // Not always the address: an action that was refused is shown under its own.
  const address = watched.dataset.page ?? watched.dataset.stream.replace(/\/stream$/, "");
  let source;
  let wanted = false;
  let reading = false;
  const refresh = async () => {
    wanted = true;
    if (reading) return;
    reading = true;
    while (wanted && source) {
      wanted = false;
      const answer = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
      if (!answer?.ok) break;
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      // However much happens, a page is not read more than once a second.
      await new Promise((done) => setTimeout(done, 1000));
    }
    reading = false;
  };
  // A browser has few connections to spare: a page that nobody sees gives its own back.
  const watch = () => {
    if (source || document.hidden) return;
    source = new EventSource(watched.dataset.stream);
    source.addEventListener("message", refresh);
  };
  const leave = () => {
    source?.close();
    source = undefined;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      leave();
    } else {
      watch();
      refresh();
    }
  });
  window.addEventListener("pagehide", leave);
  watch();
}

function take(page) {
  let changed = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
    const busy = part.querySelector("form") && (part.contains(document.activeElement) || part.querySelector("[data-sent]") || edited(part));
    if (!fresh || busy || fresh.innerHTML === part.innerHTML) continue;
    const stood = part.contains(document.activeElement) ? document.activeElement : null;
    const place = stood?.getAttribute("href");
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    part.replaceChildren(...fresh.childNodes);
    const unfolded = [...part.querySelectorAll("details")];
    if (unfolded.length === open.length) unfolded.forEach((details, index) => (details.open = open[index]));
    if (place) [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === place)?.focus({ preventScroll: true });
    changed = true;
  }
  if (changed) watched.textContent = "This page was updated.";
}

function edited(part) {
  return [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue || input.checked !== input.defaultChecked);
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
