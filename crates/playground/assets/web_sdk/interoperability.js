/*
 * Interoperability: the token by which the merchant's server tells Klarna which shopper a payment is of. Under its
 * older and its newer name, and the shopping session of the first version.
 */
function interoperabilityProduct(core) {
  const events = core.emitter(['tokenupdate']);
  const network = core.emitter(['tokenupdate']);
  let current = null;

  function update(session) {
    if (!session.interoperability_token || session.interoperability_token === current) return;
    current = session.interoperability_token;
    // Some pages read the token itself, some a member of what they are given: this is both.
    const both = (member) => Object.assign(new String(current), { [member]: current });
    events.emit('tokenupdate', both('interoperabilityToken'));
    network.emit('tokenupdate', both('klarnaNetworkSessionToken'));
  }

  core.onSession(update);

  const session = {
    getShoppingSessionId: () => { const kept = core.shoppingSession(); return kept ? kept.shoppingSessionId : null; },
    getInteroperabilityToken: () => current,
    /** What the shop knows of the purchase beyond the payment. */
    submit: async (data) => {
      await core.call('shopping-session', {
        shopping_session_id: session.getShoppingSessionId(), supplementary_data: (data || {}).supplementaryData,
      });
    },
  };

  return {
    namespace: { token: () => current, on: events.on, off: events.off },
    also: Object.assign(
      { Network: { Session: { token: () => current, on: network.on, off: network.off } } },
      core.version === 1 ? { Shopping: { session: () => session } } : {}),
  };
}
