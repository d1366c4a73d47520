const express = require('express');
const { loadSettings, saveSettings } = require('./settings');

const router = express.Router();
router.use(express.json());

function merge(target, source) {
  for (const key in source) {
    if (source[key] && typeof source[key] === 'object') {
      if (!target[key]) target[key] = {};
      merge(target[key], source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

router.patch('/settings', async (req, res) => {
  const settings = await loadSettings(req.user.id);
  merge(settings, req.body);
  await saveSettings(req.user.id, settings);
  res.json(settings);
});

module.exports = router;
