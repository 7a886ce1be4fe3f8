// Listens between a shop's page and the library, and keeps what every call told the page, for docs/fidelity.md.
(function () {
  window.toldByCalls = [];

  function written(value) {
    if (Array.isArray(value) || typeof value !== 'object' || value === null) return String(value);
    const members = Object.keys(value).sort().map((key) => {
      const plain = typeof value[key] === 'boolean' || value[key] === null || value[key] === undefined;
      return plain ? key + ': ' + value[key] : key === 'error' ? key + ': ' + written(value[key]) : key;
    });
    return '{' + members.join(', ') + '}';
  }

  function heard(name, call) {
    return function () {
      const self = this;
      const list = Array.from(arguments);
      const at = name.endsWith('.on') || name.endsWith('.off') ? -1 : list.map((one) => typeof one === 'function').lastIndexOf(true);
      let running = true;
      let early = null;
      if (at >= 0) {
        const page = list[at];
        list[at] = function (result) {
          if (running) early = written(result);
          else window.toldByCalls.push([name, written(result)]);
          return page.apply(this, arguments);
        };
      }
      try {
        return call.apply(self, list);
      } catch (error) {
        // Without a callback nobody can say what it would have been told.
        if (at >= 0 || /\.(init|on)$/.test(name)) window.toldByCalls.push([name, 'throws ' + error.name + (early === null ? '' : ' after ' + early)]);
        throw error;
      } finally {
        running = false;
      }
    };
  }

  window.heard = heard;

  window.listenTo = function (path, object) {
    Object.keys(object).forEach((name) => {
      if (typeof object[name] === 'function') object[name] = heard(path + '.' + name, object[name]);
    });
  };

  // Events of the Web SDK: what stands in them, and where a payment request stands.
  window.listenToEvents = function (payment, names, path) {
    names.forEach((name) => payment.on(name, function (first, second) {
      const state = first && first.errorCode ? first.errorType + ' ' + first.errorCode : first.state;
      const more = second === undefined || name === 'error' ? '' : ' ' + written(second);
      window.toldByCalls.push([(path || 'Payment') + '.on ' + name, (first.stateReason ? state + ' ' + first.stateReason : state) + more]);
    }));
  };
})();
