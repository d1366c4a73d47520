import { applyTheme, setAccount } from './session.js';

function onMessage(event) {
  const message = event.data;
  if (!message || typeof message !== 'object') {
    return;
  }
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
