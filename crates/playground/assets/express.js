/**
 * Klarna.Payments.Buttons: the Express checkout of api.js. A button in the merchant's page, and the same flow for a
 * button that the merchant draws. The session is the server's (`client_token`), or is made of the order that the page
 * gives (`client_id`): by the page of the flow, which tells the server whose page it was opened from.
 */
function expressButtons(kit) {
  'use strict';

  const OPTIONS = ['collect_shipping_address', 'auto_finalize'];
  const buttons = klarnaButton(document);

  function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }

  /** `(options, payload, callback)`; what is missing is left out, a lone object is options only if it looks like it. */
  function read(list) {
    const callback = list.filter((value) => typeof value === 'function').pop() || function () {};
    const values = list.filter((value) => typeof value !== 'function');
    let options = isObject(values[0]) ? values[0] : {};
    let data = isObject(values[1]) ? values[1] : {};
    if (values.length < 2 && !OPTIONS.some((key) => key in options)) {
      data = options;
      options = {};
    }
    return { options, data, callback };
  }

  function isOn(value, otherwise) {
    return value === undefined || value === null ? otherwise : value === true || value === 'true';
  }

  /** Begins the flow, or joins the one that the same button began; `over` hears when it is over. */
  function authorize(identity, key, list, over) {
    const { options, data, callback } = read(Array.from(list));
    const party = {
      key,
      origin: identity.origin,
      token: identity.token,
      express: {
        client_id: identity.clientId,
        collect_shipping_address: isOn(options.collect_shipping_address, false),
      },
    };
    kit.authorize(party, { auto_finalize: isOn(options.auto_finalize, true) }, data, (result) => {
      over();
      callback(result);
    });
  }

  function load(identity, config, told) {
    const wanted = isObject(config) ? config : {};
    const refuse = (message) => kit.answer(told, { show_form: false, error: { message } });
    const container = kit.findContainer(wanted.container);
    if (!container) return refuse('load: no element matches the container.');
    if (typeof wanted.on_click !== 'function') return refuse('load: on_click is missing.');
    if (!identity.clientId && !identity.token) return refuse('init: client_id or client_token is missing.');
    const drawn = buttons.draw(container, {
      theme: wanted.theme, shape: wanted.shape, locale: wanted.locale || window.navigator.language,
    }, () => wanted.on_click(function () {
      drawn.set({ busy: true });
      authorize(identity, drawn, arguments, () => drawn.set({ busy: false }));
    }));
    kit.check({ origin: identity.origin, token: identity.token, express: { client_id: identity.clientId } }, (result) => {
      if (result === true) {
        kit.answer(told, { show_form: true });
      } else {
        drawn.remove();
        refuse(result);
      }
    });
  }

  return {
    init(argument) {
      const given = isObject(argument) ? argument : {};
      const identity = { origin: kit.scriptOrigin, token: null, clientId: given.client_id || given.client_key };
      if (given.client_token !== undefined && given.client_token !== null) {
        const decoded = kit.decode(given.client_token);
        if (!decoded) kit.fail('InvalidClientTokenError', 'Buttons.init: client_token is not a JSON Web Token. Pass the client_token of the session.');
        Object.assign(identity, { origin: decoded.origin, token: decoded.token });
      }
      return {
        load: (config, callback) => load(identity, config, typeof callback === 'function' ? callback : function () {}),
        authorize() { authorize(identity, identity, arguments, function () {}); },
      };
    },
  };
}
