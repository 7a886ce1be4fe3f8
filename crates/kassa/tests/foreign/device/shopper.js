// The browser that a phone opens for signing in, and the shopper in front of it: redirects, cookies, and the forms of
// Klarna's pages. It ends at the app's own address.
'use strict';

const { SHOPPER, SHOPPER_LEAVES } = process.env;
const MOST_STEPS = 12;

/** What the shopper answers to a page; null to one that asks nothing. */
function answer(page) {
  if (!page.includes('<form')) return null;
  if (SHOPPER_LEAVES) return { action: 'decline' };
  if (page.includes('name="contact"')) return { action: 'identify', contact: SHOPPER };
  if (page.includes('name="code"')) return { action: 'code', code: '123456' };
  return { action: 'agree', share: 'billing_address' };
}

/** Where the browser was sent in the app's name; null when it got stuck on a page. */
async function visit(start, home) {
  const cookies = new Map();
  let url = new URL(start);
  let form = null;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const headers = { cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ') };
    if (form !== null) Object.assign(headers, { origin: url.origin, 'sec-fetch-site': 'same-origin' });
    const reply = await fetch(url, {
      method: form === null ? 'GET' : 'POST', body: form === null ? undefined : new URLSearchParams(form), headers, redirect: 'manual',
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0].split('=');
      cookies.set(name, value);
    }
    const to = reply.headers.get('location');
    if (to !== null) {
      if (to.startsWith(home)) return new URL(to);
      url = new URL(to, url);
      form = null;
    } else {
      form = answer(await reply.text());
      if (form === null) return null;
    }
  }
  throw new Error(`still on the way after ${MOST_STEPS} steps, at ${url.pathname}`);
}

module.exports = { visit };
