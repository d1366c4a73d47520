const ldap = require('ldapjs');

const client = ldap.createClient({ url: 'ldaps://ldap.example.com' });

function findPerson(req, res) {
  const uid = req.query.uid;
  const options = {
    scope: 'sub',
    filter: '(&(objectClass=person)(uid=' + uid + '))',
    attributes: ['cn', 'mail'],
  };
  const entries = [];
  client.search('ou=people,dc=example,dc=com', options, (err, search) => {
    if (err) {
      res.status(502).json({ error: 'directory not available' });
      return;
    }
    search.on('searchEntry', (entry) => entries.push(entry.pojo));
    search.on('end', () => res.json({ entries }));
  });
}

module.exports = { findPerson };
