// A run's page: its rows, what is decided about them, and how far it has come.
import { Rows, controls, count, el, icon, plot, stack } from './rows.js';

const page = document.querySelector('[data-run]');
const id = page.dataset.run, kinds = JSON.parse(page.dataset.kinds), fixes = JSON.parse(page.dataset.fixes);
const one = (s) => document.querySelector(s), all = (s) => [...document.querySelectorAll(s)];
const form = one('form[data-send]');
const struck = form ? new Set() : null;
let rows = null;
history.replaceState(null, '', `/runs/${id}`); // what was asked in vain is not asked again when the page is reloaded

for (const s of all('[data-stack]')) stack(s, JSON.parse(s.dataset.stack), kinds);
for (const p of all('[data-plot]')) if (p.dataset.plot) plot(p, JSON.parse(p.dataset.plot));

function mount(list) {
  rows = new Rows(one('[data-rows]'), { rows: list, fixes, struck, shown: one('.shown[data-shown]'), onChange: () => label() });
  controls(document, rows);
  const search = one('[data-filter]');
  if (search?.value) rows.filter({ text: search.value }); // typed before the rows came
  label();
}

// ---- striking out, and what follows from it ----

// lines are the numbers of lines that are struck out, as in 12,40-60.
function lines() {
  const parts = [];
  for (const n of [...struck].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && n === last[1] + 1) last[1] = n; else parts.push([n, n]);
  }
  return parts.map(([a, b]) => a === b ? a : `${a}-${b}`).join(',');
}

// follow asks what is at stake now; the counts and the button have followed already.
let asked = '', asking = null;
function follow() {
  const except = lines();
  if (except === asked) return;
  asked = except;
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  setTimeout(async () => {
    try {
      const reply = await fetch(`/runs/${id}/follows`, { method: 'POST', body: new URLSearchParams({ except }), signal });
      if (!reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html');
      for (const part of fresh.querySelectorAll('[data-part]')) {
        const old = one(`[data-part=${part.dataset.part}]`);
        if (!old || old.innerHTML === part.innerHTML) continue;
        const reached = () => [...old.querySelectorAll('summary, button')], at = reached().indexOf(document.activeElement);
        if (old.querySelector('details')?.open) part.querySelector('details')?.setAttribute('open', '');
        old.replaceChildren(...part.childNodes);
        if (at >= 0) reached()[at]?.focus({ preventScroll: true }); // whoever goes through the page by keys stays where they are
      }
    } catch (e) { if (e.name !== 'AbortError') throw e; }
  }, signal.aborted ? 0 : 100);
}

function label() {
  if (!rows || !struck) return;
  const b = one('[data-strike]');
  if (b) {
    b.disabled = !rows.some(() => true);
    b.textContent = b.disabled || rows.some((r) => !struck.has(r.l)) ? 'Strike out those shown' : 'Take in those shown';
  }
  const left = Number(form.dataset.total) - struck.size;
  for (const e of all('[data-count]')) e.textContent = singular(`${count(left)} ${e.dataset.count}s`, left);
  for (const e of all('[data-struck]')) e.textContent = count(struck.size);
  agree(left);
  follow();
}

// singular puts the noun of a button's text in the singular.
const singular = (text, n) => n === 1 ? text.replace(/\b(row|customer)s\b/, '$1') : text;

function agree(left) {
  const button = form.querySelector('button[type=submit]'), typed = form.querySelector('#typed'), tick = form.querySelector('[data-confirm]');
  button.textContent = singular(form.dataset.send.replace('{n}', count(left)), left);
  const said = typed ? typed.value.trim().replaceAll(',', '') : '';
  const right = typed ? said === String(left) : !tick || tick.checked;
  button.disabled = !right || left === 0 || form.dataset.sent === 'yes';
  const hint = form.querySelector('[data-hint]');
  if (hint) hint.textContent = !said ? 'The button opens when the number is right.'
    : right ? `${count(left)} is right.` : `Not ${said}: the number of customers is on top of this column.`;
}

if (form) {
  one('[data-strike]')?.addEventListener('click', () => {
    rows.strike(rows.visible(), rows.some((r) => !struck.has(r.l)));
  });
  form.addEventListener('input', () => label());
  form.addEventListener('submit', (e) => {
    if (form.dataset.sent) { e.preventDefault(); return; } // a second click sends nothing more
    form.dataset.sent = 'yes';
    form.elements.rows.value = Number(form.dataset.total) - struck.size;
    form.elements.except.value = lines();
    const button = form.querySelector('button[type=submit]');
    setTimeout(() => { button.disabled = true; button.textContent = 'Beginning…'; });
  });
  addEventListener('pageshow', (e) => { if (e.persisted) { delete form.dataset.sent; label(); } });
}

// ---- a report that somebody has gone through ----

const review = one('form[data-review]');
review?.addEventListener('change', async () => {
  const told = one('[data-said]');
  told.textContent = 'Reading it…';
  const reply = await fetch(review.action, { method: 'POST', body: new FormData(review) });
  review.reset();
  const { problem, notes, left_out: out } = await reply.json();
  told.classList.toggle('stopper', Boolean(problem));
  if (problem) {
    told.textContent = [problem.text, problem.try && `Try: ${problem.try}`].filter(Boolean).join('\n');
    return;
  }
  struck.clear();
  for (const line of out) struck.add(line);
  rows.strike([], true);
  told.textContent = [out.length ? `Taken: ${count(out.length)} ${singular('rows', out.length)} struck out.` : 'Taken: every row stays.', ...notes ?? []].join('\n');
});

// ---- stop: the first click asks, the second stops ----

const stop = one('form[data-stop]');
stop?.addEventListener('submit', async (e) => {
  e.preventDefault();
  const b = stop.querySelector('button');
  if (!b.dataset.asked) { b.dataset.asked = 'yes'; b.querySelector('span').textContent = 'Yes, stop now'; return; }
  b.disabled = true;
  const reply = await fetch(stop.action, { method: 'POST' }).catch(() => null);
  one('[data-stopped]').hidden = !reply?.ok; // that it stops is said once the program has heard of it
  b.disabled = Boolean(reply);
});

// ---- under way ----

const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);
let taken = 0, failuresKey = '', first = null;

async function watch() {
  let now;
  try {
    const reply = await fetch(`/runs/${id}/state.json?rows=${taken}`);
    if (reply.status === 404) { location.reload(); return; } // its folder was removed
    if (!reply.ok) throw new Error(reply.status);
    now = await reply.json();
    one('#lost').hidden = true;
  } catch {
    one('#lost').hidden = false;
    setTimeout(watch, 3000);
    return;
  }
  if (now.seldom) { // of another program's run nobody tells how fast it is
    first ??= [Date.now(), now.done];
    now.rate = (now.done - first[1]) / Math.max(1, (Date.now() - first[0]) / 1000);
  }
  show(now);
  if (now.ended) { location.reload(); return; }
  setTimeout(watch, now.seldom ? 3000 : document.hidden ? 2000 : taken ? 500 : 100);
}

function show(now) {
  const done = Object.values(now.counts).reduce((a, b) => a + b, 0);
  const counts = { ...now.counts };
  if (now.total > now.done) counts.left = now.total - now.done;
  stack(one('[data-stack]'), counts, [...kinds, 'left']);
  for (const chip of all('.chip[data-outcome]')) {
    const kind = chip.dataset.outcome;
    chip.hidden = kind !== '' && !now.counts[kind];
    chip.querySelector('b').textContent = count(kind ? now.counts[kind] ?? 0 : done);
  }
  const doing = { reading: 'Reading', sending: 'Sending' }[now.phase] ?? (now.phase ? now.phase[0].toUpperCase() + now.phase.slice(1) : 'Beginning');
  one('[data-lead]').textContent = now.total ? `${doing}: ${count(now.done)} of ${singular(`${count(now.total)} rows`, now.total)}` : 'Beginning…';
  one('[data-jump]').textContent = now.total ? `${count(now.done)} of ${count(now.total)} settled` : 'Beginning';
  const wait = one('[data-wait]');
  const seconds = Math.max(0, Math.round((now.until - Date.now()) / 1000));
  const text = now.wait ? `${now.wait[0].toUpperCase()}${now.wait.slice(1)} (${seconds} s)` : now.stopping ? 'Stopping: requests in flight finish' : doing;
  if (wait && wait.textContent !== text) wait.textContent = text;
  const put = (s, t) => { const e = one(s); if (e && e.textContent !== t) e.textContent = t; };
  put('[data-rate]', now.rate ? `${now.rate.toFixed(1)} rows/s` : '—');
  put('[data-requests]', count(now.requests));
  put('[data-today]', now.today >= 0 ? count(now.today) : 'not known');
  const left = now.total - now.done;
  put('[data-finish]', now.rate && left > 0 ? clock(Date.now() + 1000 * left / now.rate + (now.wait ? 1000 * seconds : 0)) : left > 0 ? '—' : 'now');
  const p = one('[data-plot]');
  if (p) plot(p, now.minutes, { limit: now.limit, usable: now.usable });
  const key = (now.failures ?? []).map((f) => f.l).join();
  if (key !== failuresKey && one('[data-failures]')) {
    failuresKey = key;
    one('[data-nofailures]').hidden = true;
    new Rows(one('[data-failures]'), { rows: now.failures, fixes });
  }
  notes(now.notes ?? []);
  question(now.question);
  if (now.rows?.length) {
    taken += now.rows.length;
    if (rows) rows.add(now.rows); else mount(now.rows);
  }
}

function notes(list) {
  const box = one('[data-notes]');
  if (box.querySelectorAll('li').length === list.length) return;
  box.hidden = !list.length;
  box.replaceChildren(el('div', { class: 'note warn' }, icon('warn'), el('ul', {}, ...list.map((text) => el('li', {}, text)))));
}

function question(q) {
  const box = one('[data-question]');
  if (!box) return;
  box.hidden = !q;
  if (!q) return;
  const wants = q.agrees === 'yes' ? 'Type yes.' : 'Type the number of customers.';
  const text = `${q.text} ${q.rows ? `${singular(`${count(q.rows)} rows`, q.rows)} will be sent. ` : ''}${wants}`;
  if (one('[data-question-text]').textContent !== text) one('[data-question-text]').textContent = text;
}

one('form[data-answer]')?.addEventListener('submit', async (e) => {
  e.preventDefault();
  await fetch(e.target.action, { method: 'POST', body: new URLSearchParams(new FormData(e.target)) });
  e.target.reset();
});

if (page.dataset.state === 'running') watch();
else fetch(one('[data-rows]').dataset.rows).then((r) => r.json()).then(mount, (err) => { one('.shown[data-shown]').textContent = `the rows cannot be read: ${err}`; });
