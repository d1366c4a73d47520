const express = require('express');
const axios = require('axios');
const cheerio = require('cheerio');

const router = express.Router();

router.get('/preview', async (req, res, next) => {
  const { url } = req.query;
  try {
    const response = await axios.get(url, { timeout: 5000, responseType: 'text' });
    const $ = cheerio.load(response.data);
    res.json({
      title: $('title').first().text(),
      description: $('meta[name="description"]').attr('content') || null,
    });
  } catch (err) {
    next(err);
  }
});

module.exports = router;
