const express = require('express');
const cors = require('cors');
const routes = require('./routes');

const app = express();
const origins = ['https://app.example.com', 'https://admin.example.com'];

app.use(cors({ origin: origins, credentials: true, maxAge: 600 }));
app.use(express.json());
app.use('/api', routes);

app.listen(process.env.PORT || 3000);
