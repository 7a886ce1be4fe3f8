// react-native-klarna-inapp-sdk: an app that pays, in a device that is not there. The wrapper and React are as they were
// published; `device/` stands in for react-native and for the wrapper's native half. The test is the finger on the glass: it
// says what the app does next, and is told what the app hears.
'use strict';

const Module = require('node:module');
const React = require('react');
const ts = require('typescript');
const { act, create } = require('react-test-renderer');
const {
  KlarnaExpressCheckoutView, KlarnaOSMView, KlarnaPaymentView, KlarnaSignInSDK,
} = require('react-native-klarna-inapp-sdk');
const { Commands } = require('react-native-klarna-inapp-sdk/lib/commonjs/specs/KlarnaPaymentViewNativeComponent');
const { NativeView } = require('./device/views.js');
const { hear, say } = require('./device/line.js');

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const { PLATFORM } = process.env;
const heard = (name, ...told) => say({ heard: name, arguments: told.map((value) => (value === undefined ? 'undefined' : value)) });

/** The wrapper counts a handler's parameters: one means that it wants the native event, as of old. */
const HANDLERS = {
  payment: {
    onInitialized: () => heard('onInitialized'),
    onLoaded: () => heard('onLoaded'),
    onLoadedPaymentReview: () => heard('onLoadedPaymentReview'),
    onAuthorized: (approved, token, finalizeRequired) => heard('onAuthorized', approved, token, finalizeRequired),
    onReauthorized: (approved, token) => heard('onReauthorized', approved, token),
    onFinalized: (approved, token) => heard('onFinalized', approved, token),
    onError: (error) => heard('onError', error),
  },
  old: Object.fromEntries(
    ['onInitialized', 'onLoaded', 'onLoadedPaymentReview', 'onAuthorized', 'onReauthorized', 'onFinalized', 'onError']
      .map((name) => [name, (event) => heard(name, event.nativeEvent)]),
  ),
  express: {
    onAuthorized: (response) => heard('onAuthorized', response),
    onError: (error) => heard('onError', error),
  },
  messaging: { onError: (error) => heard('onError', error) },
};
const COMPONENTS = {
  payment: KlarnaPaymentView, old: KlarnaPaymentView, express: KlarnaExpressCheckoutView, messaging: KlarnaOSMView,
};

/** Where React would reach for a view of the platform. */
const NATIVE = { createNodeMock: ({ type, props }) => (screen.native = new NativeView(PLATFORM, type, props)) };

let screen = null; // what is mounted: { component, kind, properties, handle, native }

function element() {
  const { component, kind, properties, handle } = screen;
  return React.createElement(component, { ref: handle, ...HANDLERS[kind], ...properties });
}

function render() {
  act(() => (screen.renderer ? screen.renderer.update(element()) : mountNow()));
  screen.native.update(host().props);
}

function mountNow() {
  screen.renderer = create(element(), NATIVE);
}

/** The native view's element, with the handlers of the last rendering. */
function host() {
  return screen.renderer.root.findByType(screen.native.type);
}

/** The finger waits over a button until it can be pressed. */
function press() {
  const buttons = screen.finger ? screen.renderer.root.findAllByProps({ title: screen.finger }) : [];
  if (buttons.length === 0 || buttons[0].props.disabled) return;
  screen.finger = null;
  act(() => buttons[0].props.onPress());
}

/** An app as it is written down, in JSX: what it exports. */
function read(source) {
  const options = {
    module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React, esModuleInterop: true,
  };
  const { outputText, diagnostics } = ts.transpileModule(source, { compilerOptions: options, reportDiagnostics: true, fileName: 'app.jsx' });
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)));
  const app = new Module('app.jsx', module);
  app.paths = module.paths;
  app._compile(outputText, 'app.jsx');
  return app.exports;
}

const DEEDS = {
  mount({ kind, properties }) {
    screen = { component: COMPONENTS[kind], kind, properties, handle: React.createRef(), renderer: null, native: null };
    render();
  },
  set({ properties }) {
    Object.assign(screen.properties, properties);
    render();
  },
  unmount() {
    const { handle, renderer } = screen;
    act(() => renderer.unmount());
    heard('unmounted', handle.current);
  },
  call({ method, given }) {
    screen.handle.current[method](...given);
  },
  /** Past the component, to the command that it would have sent. */
  command({ method, given }) {
    Commands[method](screen.handle.current.paymentViewRef.current, ...given);
  },
  /** The SDK tells the native view something. */
  event({ name, body }) {
    act(() => host().props[name]({ nativeEvent: screen.native.marshal(name, body) }));
    press();
    if (name === 'onResized' && screen.handle) heard('height', Object.assign({}, ...[host().props.style].flat()).height);
  },
  /** An app that is written down runs, with a backend that has opened this checkout. */
  run({ source, opened, shop }) {
    const { KlarnaCheckout } = read(source);
    const { id, checkout_secret } = opened;
    const open = async () => ({ id, checkout_secret, client_token: opened.klarna.client_token });
    screen = { native: null, finger: null };
    const done = (status, body) => heard('done', status, body.status);
    act(() => {
      screen.renderer = create(React.createElement(KlarnaCheckout, { open, shop, onDone: done }), NATIVE);
    });
  },
  press({ title }) {
    screen.finger = title;
    press();
  },
  /** What stands on the screen. */
  shows() {
    heard('shows', JSON.stringify(screen.renderer.toJSON()));
  },
  async signIn({ properties, given }) {
    try {
      const klarna = await KlarnaSignInSDK.createInstance(properties);
      heard('signedIn', await klarna.signIn(...given));
      await klarna.dispose();
    } catch (error) {
      heard('signInFailed', error instanceof Error ? String(error.stack) : error);
    }
  },
};

hear((message) => DEEDS[message.deed](message));
