// What a component asks of its native view.
'use strict';

module.exports = ({ supportedCommands }) => Object.fromEntries(
  supportedCommands.map((name) => [name, (view, ...given) => view.dispatch(name, given)]),
);
