import { applyTheme, setAccount } from './session.js';

const PARENT_ORIGIN = 'https://portal.example.com';

function onMessage(event) {
  if (event.origin !== PARENT_ORIGIN || event.source !== window.parent) {
    return;
  }
  const message = event.data;
  switch (message.type) {
    case 'theme':
      applyTheme(message.value === 'dark' ? 'dark' : 'light');
      break;
    case 'account':
      setAccount(message.accountId);
      break;
    default:
      break;
  }
}

window.addEventListener('message', onMessage);
