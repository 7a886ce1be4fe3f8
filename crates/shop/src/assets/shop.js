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

// A page that comes back from the browser's memory may show an old cart.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
