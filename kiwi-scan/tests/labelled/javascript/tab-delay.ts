const TABS = ['overview', 'billing', 'members'];

function openTab(name: string): void {
  for (const id of TABS) {
    const panel = document.getElementById('panel-' + id);
    if (panel) {
      panel.hidden = id !== name;
    }
  }
}

export function restoreTab(): void {
  const tab = decodeURIComponent(window.location.hash.slice(1));
  if (TABS.includes(tab)) {
    window.setTimeout(() => openTab(tab), 150);
  }
}

document.addEventListener('DOMContentLoaded', restoreTab);
