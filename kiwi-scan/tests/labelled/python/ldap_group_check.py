import os

import ldap
from django.http import JsonResponse
from django.views.decorators.http import require_POST

URI = "ldaps://ldap.example.com"


@require_POST
def in_group(request):
    uid = request.POST["uid"]
    conn = ldap.initialize(URI)
    conn.simple_bind_s("cn=reader,dc=example,dc=com", os.environ["LDAP_PW"])
    flt = "(&(cn=operators)(memberUid=%s))" % uid
    hits = conn.search_s("ou=groups,dc=example,dc=com", ldap.SCOPE_SUBTREE, flt, ["cn"])
    return JsonResponse({"member": bool(hits)})
