import $ from 'jquery';

function readNotice() {
  const fragment = window.location.hash.replace(/^#notice=/, '');
  return decodeURIComponent(fragment);
}

export function showNotice() {
  const text = readNotice();
  if (!text) {
    return;
  }
  const $box = $('#notice');
  $box.html('<i class="icon-info"></i> ' + text);
  $box.fadeIn(200);
}

$(showNotice);
