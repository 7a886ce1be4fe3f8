// Messages about paying: `KlarnaOSMView` of the native SDKs. It is the placement of the Web SDK, drawn when the app says so.

const THEMES = { light: 'default', dark: 'dark' };

export function messagingView({ root, tell }, properties) {
  const container = document.createElement('div');
  root.append(container);
  let current = properties;
  let turn = 0;

  function themeOf(theme) {
    return THEMES[theme] || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'default');
  }

  function draw() {
    const { placementKey, locale, purchaseAmount, theme, backgroundColor, textColor } = current;
    const placement = document.createElement('klarna-placement');
    const attributes = { key: placementKey, locale, 'purchase-amount': purchaseAmount, theme: themeOf(theme) };
    for (const [name, value] of Object.entries(attributes)) placement.setAttribute(`data-${name}`, value || '');
    container.style.backgroundColor = backgroundColor || '';
    container.style.color = textColor || '';
    container.replaceChildren(placement);
  }

  new ResizeObserver(() => tell('onResized', { height: String(Math.ceil(container.getBoundingClientRect().height)) })).observe(container);
  tell('onOSMViewReady');

  return {
    update(changes) {
      current = { ...current, ...changes };
    },

    async render() {
      turn += 1;
      const mine = turn;
      try {
        const { KlarnaSDK } = await import('/web-sdk/v2/klarna.mjs');
        await KlarnaSDK({ clientId: current.clientId, locale: current.locale, products: ['MESSAGING'] });
      } catch (error) {
        const name = error.errorType === 'ACCESS_ERROR' || error.errorType === 'INPUT_ERROR' ? 'InvalidClientID' : 'SDK_NOT_AVAILABLE';
        if (mine === turn) tell('onError', { error: { name, message: error.message, isFatal: true } });
        return;
      }
      if (mine === turn) draw();
    },
  };
}
