// The express button: `KlarnaExpressCheckoutButton` of the native SDKs. It has no commands: it is made of its properties,
// anew with each change, and pressed by the shopper.

const SHAPES = { roundedRect: 'default', pill: 'pill', rectangle: 'rect' };

function themeOf({ theme, buttonStyle }) {
  if (buttonStyle === 'outlined') return 'outlined';
  if (theme === 'auto') return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  return theme === 'light' ? 'light' : 'dark';
}

export function expressView({ root, tell }, properties) {
  const container = document.createElement('div');
  root.append(container);
  let current = properties;

  function fail(name, message, isFatal) {
    tell('onError', { error: { name, message, isFatal } });
  }

  function authorized(result) {
    const address = result.collected_shipping_address;
    tell('onAuthorized', { authorizationResponse: {
      showForm: result.show_form === true,
      approved: result.approved === true,
      finalizedRequired: result.finalize_required === true,
      clientToken: result.client_token || '',
      authorizationToken: result.authorization_token || '',
      sessionId: result.session_id || '',
      collectedShippingAddress: address ? JSON.stringify(address) : '',
      merchantReference1: result.merchant_reference1 || '',
      merchantReference2: result.merchant_reference2 || '',
    } });
  }

  function pressed(authorize) {
    let data;
    try {
      data = current.sessionData ? JSON.parse(current.sessionData) : {};
    } catch {
      fail('AuthorizationFailed', 'The session data are not JSON.', false);
      return;
    }
    const options = { auto_finalize: current.autoFinalize !== false, collect_shipping_address: current.collectShippingAddress === true };
    authorize(options, data, authorized);
  }

  function draw() {
    const { sessionType, clientId, clientToken, locale, returnUrl } = current;
    const byToken = sessionType === 'clientToken';
    // Whom it is for, by the name of the error that says it is nobody.
    const unknown = byToken ? 'InvalidClientToken' : 'InvalidClientID';
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(returnUrl || '')) {
      fail('InvalidReturnURL', 'The return URL is missing, or is none.', true);
      return;
    }
    const button = document.createElement('div');
    container.replaceChildren(button);
    try {
      Klarna.Payments.Buttons.init(byToken ? { client_token: clientToken } : { client_id: clientId }).load({
        container: button, theme: themeOf(current), shape: SHAPES[current.shape], locale, on_click: pressed,
      }, (result) => {
        if (button.parentNode !== container) return; // another has been drawn since
        if (result.show_form) tell('onResized', { height: String(Math.ceil(container.getBoundingClientRect().height)) });
        else fail(unknown, result.error.message, true);
      });
    } catch (error) {
      fail(unknown, error.message, true);
    }
  }

  draw();
  return {
    update(changes) {
      current = { ...current, ...changes };
      draw();
    },
  };
}
