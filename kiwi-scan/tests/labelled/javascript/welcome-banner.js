(function () {
  const params = new URLSearchParams(window.location.search);
  const banner = document.querySelector('#welcome-banner');

  function render(name) {
    banner.innerHTML = '<strong>Welcome back, ' + name + '</strong>';
    banner.classList.remove('hidden');
  }

  const visitor = params.get('name');
  if (visitor && banner) {
    render(visitor);
  }
})();
