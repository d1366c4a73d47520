const vm = require('vm');

const script = new vm.Script('total = Math.round(price * quantity * (1 + rate) * 100) / 100');

function quote(req, res) {
  const sandbox = {
    price: Number(req.body.price),
    quantity: Number(req.body.quantity),
    rate: 0.2,
    total: 0,
  };
  script.runInNewContext(sandbox, { timeout: 100 });
  res.json({ total: sandbox.total });
}

module.exports = { quote };
