// The payment view: `KlarnaPaymentView` of the native SDKs. What the library tells a page becomes what a listener is told.

const CONTAINER = 'klarna-payment-view';

/** What the app sends along is JSON in a string; an empty one is none. */
function dataOf(text) {
  if (text === undefined || text === null || text === '') return {};
  const data = JSON.parse(text);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new SyntaxError('not an object');
  return data;
}

export function paymentView({ root, tell, fail }, properties) {
  const { platform } = properties;
  let category = properties.category || '';
  const container = document.createElement('div');
  container.id = CONTAINER;
  root.append(container);
  Klarna.Payments.on('heightChanged', (height) => tell('onResized', { height: String(height) }));

  /**
   * One call of the library. It calls back before it throws; what was thrown says more, so the callback is heard only
   * where nothing was.
   */
  function perform(action, method, options, data, told) {
    let session;
    try {
      session = dataOf(data);
    } catch {
      fail(action, method, 'InvalidSessionDataError');
      return;
    }
    const wanted = category === '' ? options : { ...options, payment_method_category: category };
    try {
      Klarna.Payments[method](wanted, session, told);
    } catch (error) {
      // A view of a category that the session does not have is like one that Klarna does not want to show.
      if (action === 'Load' && error.name === 'PaymentMethodCategoryNotSupportedError') notShown(action, method);
      else fail(action, method, error.name);
    }
  }

  /** Refused for good: the app hides the view. */
  function notShown(action, method) {
    fail(action, method, 'ShowFormFalseError', { isFatal: true });
  }

  /** Hears a result once the call is over: what the library says within the call precedes an error. */
  function later(hear) {
    let over = false;
    queueMicrotask(() => { over = true; });
    return (result) => { if (over) hear(result); };
  }

  function authorized(event, action, method) {
    return later((result) => {
      if (!result.approved && result.show_form === false) {
        notShown(action, method);
        return;
      }
      const body = { approved: result.approved === true, authToken: result.authorization_token || null };
      if (event === 'onAuthorized') body.finalizeRequired = result.finalize_required === true;
      tell(event, body);
    });
  }

  function returnUrl(url) {
    // Seen of the SDK for Android; the one for iOS does without.
    if (platform !== 'android' || url) return;
    fail(null, 'init', 'InvalidReturnUrlError', { message: 'Invalid returnURL, it can not be blank.' });
  }

  returnUrl(properties.returnUrl);

  return {
    update(changes) {
      // The view of iOS keeps the category that it was created with.
      if (changes.category !== undefined && platform !== 'ios') category = changes.category;
      if (changes.returnUrl !== undefined) returnUrl(changes.returnUrl);
    },

    initialize(token) {
      try {
        Klarna.Payments.init({ client_token: token });
      } catch (error) {
        fail('Initialize', 'init', error.name);
        return;
      }
      tell('onInitialized');
    },

    load(data) {
      perform('Load', 'load', { container: `#${CONTAINER}` }, data, later((result) => {
        if (!result.show_form) notShown('Load', 'load');
        else if (result.error) fail('Load', 'load', 'InvalidFieldsError', { invalidFields: result.error.invalid_fields });
        else tell('onLoaded');
      }));
    },

    loadPaymentReview() {
      perform('LoadPaymentReview', 'loadPaymentReview', { container: `#${CONTAINER}` }, '', later((result) => {
        tell('onLoadedPaymentReview', { showForm: result.show_form === true });
      }));
    },

    authorize(automatic, data) {
      perform('Authorize', 'authorize', { auto_finalize: automatic !== false }, data, authorized('onAuthorized', 'Authorize', 'authorize'));
    },

    reauthorize(data) {
      perform('Reauthorize', 'reauthorize', {}, data, authorized('onReauthorized', 'Reauthorize', 'reauthorize'));
    },

    finalize(data) {
      perform('Finalize', 'finalize', {}, data, authorized('onFinalized', 'Finalize', 'finalize'));
    },
  };
}
