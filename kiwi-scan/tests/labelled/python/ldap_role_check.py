import os

import ldap
from django.http import JsonResponse
from django.views.decorators.http import require_POST
from ldap.filter import filter_format

URI = "ldaps://ldap.example.com"


@require_POST
def has_role(request):
    uid = request.POST["uid"]
    conn = ldap.initialize(URI)
    conn.simple_bind_s("cn=reader,dc=example,dc=com", os.environ["LDAP_PW"])
    flt = filter_format("(&(cn=auditors)(memberUid=%s))", [uid])
    hits = conn.search_s("ou=groups,dc=example,dc=com", ldap.SCOPE_SUBTREE, flt, ["cn"])
    return JsonResponse({"member": bool(hits)})
