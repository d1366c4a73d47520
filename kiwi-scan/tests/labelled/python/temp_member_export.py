import io
import tempfile

from django.http import FileResponse

from members.models import Member


def export_members(request):
    handle = tempfile.TemporaryFile(suffix=".txt", prefix="members")
    text = io.TextIOWrapper(handle, encoding="utf-8", newline="\n")
    for member in Member.objects.filter(club=request.user.club):
        text.write(f"{member.pk}\t{member.joined:%Y-%m-%d}\n")
    text.flush()
    text.detach()
    handle.seek(0)
    return FileResponse(handle, as_attachment=True, filename="members.txt")
