const ldap = require('ldapjs');

const client = ldap.createClient({ url: 'ldaps://ldap.example.com' });

function findGroup(req, res) {
  const filter = new ldap.AndFilter({
    filters: [
      new ldap.EqualityFilter({ attribute: 'objectClass', value: 'groupOfNames' }),
      new ldap.EqualityFilter({ attribute: 'cn', value: String(req.query.cn) }),
    ],
  });
  const entries = [];
  client.search('ou=groups,dc=example,dc=com', { scope: 'sub', filter }, (err, search) => {
    if (err) {
      res.status(502).json({ error: 'directory not available' });
      return;
    }
    search.on('searchEntry', (entry) => entries.push(entry.pojo));
    search.on('end', () => res.json({ entries }));
  });
}

module.exports = { findGroup };
