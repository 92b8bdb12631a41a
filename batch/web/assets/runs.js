// The page of all runs: search, states, and those under way.
import { stack } from './rows.js';

const kinds = ['changed', 'would_change', 'unchanged', 'skipped', 'rejected', 'failed', 'conflict', 'in_doubt', 'not_attempted'];
const all = (s) => [...document.querySelectorAll(s)];
for (const s of all('[data-stack]')) stack(s, JSON.parse(s.dataset.stack), kinds);

const search = document.querySelector('[data-search]'), state = document.querySelector('select[data-state]');
function show() {
  for (const row of all('.runs tbody tr')) {
    row.hidden = Boolean(state.value) && row.dataset.state !== state.value || !row.textContent.toLowerCase().includes(search.value.trim().toLowerCase());
  }
}
search?.addEventListener('input', show);
state?.addEventListener('change', show);
if (document.querySelector('.live')) setTimeout(() => location.reload(), 5000);
