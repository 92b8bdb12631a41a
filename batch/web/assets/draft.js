// A new edit: dropping a file, and what its columns mean.
const one = (s) => document.querySelector(s), all = (s) => [...document.querySelectorAll(s)];

const form = one('form[data-new]');
if (form) {
  const drop = one('[data-drop]'), file = form.elements.file;
  const name = () => { if (file.files.length) one('[data-name]').textContent = file.files[0].name; };
  file.addEventListener('change', name);
  for (const kind of ['dragenter', 'dragover']) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add('over'); });
  for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, () => drop.classList.remove('over'));
  drop.addEventListener('drop', (e) => {
    e.preventDefault();
    if (e.dataTransfer.files.length) { file.files = e.dataTransfer.files; name(); }
  });
  form.addEventListener('submit', (e) => {
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = 'yes';
  });
  addEventListener('pageshow', () => { delete form.dataset.sent; name(); });
}

// The account that is chosen stands above everything.
for (const radio of all('input[name=account]')) radio.addEventListener('change', () => {
  const band = one('.env'), { kind, word, tint, host, who } = radio.dataset;
  band.className = `env env-${kind}`;
  one('.env-name').className = `env-name${tint && ` word word-${tint}`}`;
  for (const [part, text] of [['name', word], ['host', host], ['who', who]]) one(`.env-${part}`).textContent = text;
});
form?.querySelector('input[name=account]:checked')?.dispatchEvent(new Event('change'));

// The rows are checked while the columns are looked at already.
const checked = one('[data-check]');
if (checked) fetch(checked.dataset.check).then((r) => r.text()).then((text) => {
  checked.replaceChildren(...new DOMParser().parseFromString(text, 'text/html').body.children);
});
for (const radio of all('form[data-reading] input[type=radio]')) radio.addEventListener('change', () => radio.form.requestSubmit());

// A change of a column is kept at once: the page comes back with what it means.
const columns = one('form[data-columns]');
columns?.addEventListener('change', () => columns.requestSubmit(one('[data-keep]')));
for (const b of all('form[data-once]')) b.addEventListener('submit', (e) => {
  if (b.dataset.sent) e.preventDefault();
  b.dataset.sent = 'yes';
});
addEventListener('pageshow', () => all('form[data-once]').forEach((f) => delete f.dataset.sent));
