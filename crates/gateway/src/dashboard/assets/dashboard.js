// Asks before money moves, and keeps a form from being sent twice. Without this script the forms
// work all the same: each carries a key, and the same key never acts twice.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
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
    sent(form, event.submitter);
  });
}

// These need no question: they only look.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    else sent(form, event.submitter);
  });
}

function sent(form, pressed) {
  form.dataset.sent = "yes";
  const button = pressed ?? form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  button.textContent = "Working…";
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
