declare global {
  interface Window {
    openTab(name: string): void;
  }
}

export function restoreTab(): void {
  const tab = decodeURIComponent(window.location.hash.slice(1));
  if (tab.length > 0) {
    window.setTimeout("openTab('" + tab + "')", 150);
  }
}

document.addEventListener('DOMContentLoaded', restoreTab);
