/*
 * Customer: what a shopper does with a purchase afterwards, in a widget over the merchant's page. The token that opens
 * it comes from an API that is not published, so there is none that works here: each is answered as one that is wrong.
 */
function customerProduct(core) {
  const events = core.emitter(['widgeterror', 'widgetcomplete', 'widgetcancel']);

  /** Where somebody listens for errors they are told there; otherwise they are thrown. */
  function refuse(error) {
    if (events.count('widgeterror') === 0) throw error;
    window.setTimeout(() => events.emit('widgeterror', error, { status: 'ERROR' }), 0);
  }

  return {
    namespace: {
      Transaction: {
        widget(widgetToken) {
          const isText = typeof widgetToken === 'string' && widgetToken !== '';
          refuse(isText
            ? core.error('RESOURCE_ERROR', 'WIDGET_TOKEN_NOT_FOUND', 'widget: there is no widget for this token.')
            : core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'widget: widgetToken is missing.', { validationErrors: [{ path: 'widgetToken' }] }));
        },
        on: events.on,
        off: events.off,
      },
    },
  };
}
