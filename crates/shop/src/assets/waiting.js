// Asks the shop until the outcome is known, then goes there.

const page = document.getElementById('waiting');
const text = document.getElementById('waiting-text');
const SLOW_AFTER = 8;
let asked = 0;

async function ask() {
  asked += 1;
  try {
    const response = await fetch(page.dataset.status, { headers: { accept: 'application/json' } });
    const answer = await response.json();
    if (answer.location) {
      location.replace(answer.location);
      return;
    }
  } catch {
    // No answer this time; the next may come.
  }
  if (asked === SLOW_AFTER) text.textContent = page.dataset.slow;
  setTimeout(ask, Math.min(700 + asked * 150, 4000));
}

if (page) ask();
