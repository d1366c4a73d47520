import json

from django.http import JsonResponse
from django.views import View


class TransformHook(View):
    def post(self, request):
        body = json.loads(request.body)
        source = body["transform"]
        record = body.get("record", {})
        scope = {"record": record, "result": None}
        program = compile(source, "<hook>", "exec")
        exec(program, scope)
        return JsonResponse({"result": scope["result"]})
