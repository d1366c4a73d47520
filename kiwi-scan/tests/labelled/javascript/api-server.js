const express = require('express');
const cors = require('cors');
const routes = require('./routes');

const app = express();

app.use(cors({ origin: true, credentials: true, maxAge: 600 }));
app.use(express.json());
app.use('/api', routes);

app.listen(process.env.PORT || 3000);
