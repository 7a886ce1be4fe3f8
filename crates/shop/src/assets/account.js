// Signing in with Klarna: what Klarna's button gives to this page goes to the shop's server, which has it
// checked; what Klarna tells of the person stays in this tab, where the checkout finds it. Whoever signed in
// on Klarna's page comes back by a page that hands the same over.

const panel = document.getElementById('account');
const message = document.getElementById('account-message');
const who = document.getElementById('who');
const arrived = document.getElementById('arrived');
const PERSON = 'tallvik_person';

function storage(action) {
  // Storage can be switched off; then the checkout is filled in by hand.
  try { return action(sessionStorage); } catch { return null; }
}

function say(text) {
  message.textContent = text;
  message.hidden = text === '';
}

/** Keeps what the checkout is filled in with, and goes on. */
function keep(person) {
  storage((store) => {
    store.setItem(PERSON, JSON.stringify(person.fields));
    if (person.country) store.setItem(`tallvik_typed_${person.country}`, JSON.stringify(person.fields));
  });
  location.replace('/account');
}

async function take(idToken, refreshToken) {
  panel.setAttribute('aria-busy', 'true');
  try {
    const response = await fetch('/account/klarna', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': panel.dataset.csrf },
      body: JSON.stringify({ id_token: idToken, refresh_token: refreshToken }),
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    keep(await response.json());
  } catch (error) {
    console.warn('sign-in', error);
    panel.removeAttribute('aria-busy');
    say(panel.dataset.failed);
  }
}

/** The two generations of the library name the tokens differently. */
function tokens(result) {
  const linking = result.user_account_linking ?? {};
  return [
    linking.user_account_linking_id_token ?? result.idToken,
    linking.user_account_linking_refresh_token ?? result.refreshToken,
  ];
}

let listening = false;
function listen(klarna) {
  if (listening || !klarna?.Identity) return;
  listening = true;
  klarna.Identity.on('signin', (result) => {
    const [idToken, refreshToken] = tokens(result);
    if (idToken && refreshToken) take(idToken, refreshToken);
    else say(panel.dataset.failed);
  });
  // Called off by the shopper is no failure worth words.
  klarna.Identity.on('error', (error) => { if (error?.error !== 'access_denied') say(panel.dataset.failed); });
}

if (arrived) {
  keep(JSON.parse(arrived.dataset.person));
} else if (who) {
  const person = storage((store) => JSON.parse(store.getItem(PERSON) ?? 'null'));
  const name = person && [person.given_name, person.family_name].filter(Boolean).join(' ');
  if (name || person?.email) who.textContent = name || person.email;
  // Whoever signs out leaves nothing of theirs behind.
  document.addEventListener('submit', (event) => {
    if (!event.target.action.endsWith('/account/sign-out')) return;
    storage((store) => {
      for (const key of Object.keys(store)) if (key.startsWith('tallvik_')) store.removeItem(key);
    });
    window.Klarna?.Identity?.clearLoginState?.();
  });
} else if (panel) {
  // The library may be here already, or tell when it is.
  window.KlarnaSDKCallback = listen;
  listen(window.Klarna);
  window.addEventListener('load', () => listen(window.Klarna));
}
