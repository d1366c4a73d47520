const root =
  (typeof globalThis === 'object' && globalThis) ||
  (typeof self === 'object' && self) ||
  new Function('return this')();

function supportsAsyncGenerators() {
  try {
    eval('(async function* () {})');
    return true;
  } catch (e) {
    return false;
  }
}

module.exports = {
  root,
  features: {
    asyncGenerators: supportsAsyncGenerators(),
    url: typeof root.URL === 'function',
  },
};
