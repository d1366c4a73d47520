(function () {
  const params = new URLSearchParams(window.location.search);
  const banner = document.querySelector('#greeting-banner');

  function render(name) {
    banner.innerHTML = '<strong>Welcome back, <span class="visitor"></span></strong>';
    banner.querySelector('.visitor').textContent = name;
    banner.classList.remove('hidden');
  }

  const visitor = params.get('name');
  if (visitor && banner) {
    render(visitor);
  }
})();
