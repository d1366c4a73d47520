import csv
import tempfile

from django.http import FileResponse

from reports.models import Sale


def export_sales(request):
    name = tempfile.mktemp(suffix=".csv", prefix="sales")
    with open(name, "w", newline="") as handle:
        writer = csv.writer(handle)
        for sale in Sale.objects.filter(owner=request.user):
            writer.writerow([sale.id, sale.amount])
    return FileResponse(open(name, "rb"), as_attachment=True, filename="sales.csv")
