import $ from 'jquery';

function readCount() {
  const fragment = window.location.hash.replace(/^#unread=/, '');
  const count = parseInt(fragment, 10);
  return Number.isNaN(count) ? 0 : count;
}

export function showUnread() {
  const count = readCount();
  if (count === 0) {
    return;
  }
  const $box = $('#unread');
  $box.html('<i class="icon-mail"></i> ' + count + ' unread');
  $box.fadeIn(200);
}

$(showUnread);
