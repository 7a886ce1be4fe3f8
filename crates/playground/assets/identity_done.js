// The end of the popup: hands the answer to the page that opened it, and to no other. If that page is gone, the
// answer goes to the store's own address, as it would have without a popup.

const { result, origin, back } = document.getElementById('result').dataset;
if (window.opener && origin) {
  window.opener.postMessage({ kassa: 1, type: 'signin', result: JSON.parse(result) }, origin);
  window.close();
} else {
  window.location.replace(back);
}
