/*
 * The end of the module: its one export.
 */

const library = createLibrary(VERSION, new URL(import.meta.url).origin);

/** Begins with a client identifier: a promise of the products that were asked for. */
const KlarnaSDK = (options) => library.init(options);

export { KlarnaSDK };
