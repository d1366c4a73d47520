const express = require('express');
const { loadPreferences, savePreferences } = require('./preferences');

const router = express.Router();
router.use(express.json());

const SKIPPED = new Set(['__proto__', 'constructor', 'prototype']);

function merge(target, source) {
  for (const key of Object.keys(source)) {
    if (SKIPPED.has(key)) continue;
    if (source[key] && typeof source[key] === 'object') {
      if (!Object.hasOwn(target, key) || typeof target[key] !== 'object') target[key] = {};
      merge(target[key], source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

router.patch('/preferences', async (req, res) => {
  const preferences = await loadPreferences(req.user.id);
  merge(preferences, req.body);
  await savePreferences(req.user.id, preferences);
  res.json(preferences);
});

module.exports = router;
