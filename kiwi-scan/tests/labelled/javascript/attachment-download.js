const path = require('node:path');
const express = require('express');

const router = express.Router();
const options = {
  root: path.join(__dirname, '..', 'attachments'),
  dotfiles: 'deny',
};

router.get('/attachments/:fileName', (req, res, next) => {
  const { fileName } = req.params;
  res.set('Content-Disposition', 'attachment');
  res.sendFile(fileName, options, (err) => {
    if (err) {
      next(err);
    }
  });
});

module.exports = router;
