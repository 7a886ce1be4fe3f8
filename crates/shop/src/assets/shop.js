// Comforts for every page. Nothing here is needed to use the shop.

document.documentElement.classList.add('scripted');

// The country menu closes when one looks elsewhere.
const market = document.querySelector('details.market');
if (market) {
  document.addEventListener('click', (event) => {
    if (market.open && !market.contains(event.target)) market.open = false;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && market.open) {
      market.open = false;
      market.querySelector('summary').focus();
    }
  });
}

// The cart follows a changed quantity.
for (const form of document.querySelectorAll('form[data-autosubmit]')) {
  form.addEventListener('change', () => {
    if (form.reportValidity()) form.requestSubmit();
  });
}

// A form is sent once. Pressing again while the answer is on its way does nothing.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if ('sent' in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = '';
  // Whoever has stopped the page from loading may send the form again after a while.
  setTimeout(() => { delete form.dataset.sent; }, 5000);
  form.setAttribute('aria-busy', 'true');
});

// Klarna's words follow the page into the dark.
const dark = matchMedia('(prefers-color-scheme: dark)');
function dress() {
  for (const placement of document.querySelectorAll('klarna-placement')) {
    placement.dataset.theme = dark.matches ? 'dark' : 'default';
  }
}
dress();
dark.addEventListener('change', dress);

// A page that comes back from the browser's memory may show an old cart.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
