import xml.sax
from xml.sax.handler import ContentHandler, feature_external_ges

from django.http import JsonResponse


class ContactHandler(ContentHandler):
    def __init__(self):
        super().__init__()
        self.names = []

    def characters(self, content):
        if content.strip():
            self.names.append(content.strip())


def import_contacts(request):
    handler = ContactHandler()
    parser = xml.sax.make_parser()
    parser.setFeature(feature_external_ges, True)
    parser.setContentHandler(handler)
    parser.parse(request.FILES["contacts"])
    return JsonResponse({"names": handler.names})
