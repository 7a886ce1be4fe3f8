// Klarna's payment library, loaded from Klarna once, whoever on the page asks for it.

let loading = null;

/** Resolves when the library can be used; rejects when it did not come, and may then be asked again. */
export function library(address) {
  loading ??= new Promise((resolve, reject) => {
    if (window.Klarna?.Payments?.Buttons) {
      resolve();
      return;
    }
    // Must be there before the library runs.
    window.klarnaAsyncCallback = () => resolve();
    const script = document.createElement('script');
    script.src = address;
    script.async = true;
    script.onload = () => { if (window.Klarna?.Payments) resolve(); };
    script.onerror = () => {
      loading = null;
      reject(new Error('not loaded'));
    };
    document.head.append(script);
  });
  return loading;
}
