// A native view is known to React by its name; see ../../../views.js.
'use strict';

module.exports = (name) => name;
