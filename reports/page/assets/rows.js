// The table of a run's rows: filters, sorting, striking out, before and after. Only the
// rows in sight are in the document. Texts of customers and servers reach it through
// textContent alone, never as markup.
'use strict';

const BLOCK = 40; // rows that come and go together
const SVG = 'http://www.w3.org/2000/svg';
export const count = (n) => n.toLocaleString('en-US');
export const words = (outcome) => outcome.replaceAll('_', ' ');

export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) e.setAttribute(key, '');
    else if (value !== false && value != null) e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c != null));
  return e;
}

function svg(name, attributes, ...children) {
  const e = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

export function icon(name) {
  return svg('svg', { class: `i i-${name}`, 'aria-hidden': 'true' }, svg('use', { href: `#${name}` }));
}

export function outcome(kind) {
  return el('span', { class: `o o-${kind}` }, icon(kind), el('span', {}, words(kind)));
}

// stack draws counts as one bar; every part can be seen, however small.
export function stack(into, counts, order) {
  const parts = order.filter((k) => counts[k] > 0);
  const sum = parts.reduce((n, k) => n + counts[k], 0);
  const gap = 3, least = 6, room = 1000 - gap * (parts.length - 1);
  let widths = parts.map((k) => Math.max(least, room * counts[k] / sum));
  const over = widths.reduce((a, b) => a + b, 0) - room;
  const widest = widths.indexOf(Math.max(...widths));
  widths = widths.map((w, i) => i === widest ? w - over : w);
  let x = 0;
  into.replaceChildren(...parts.map((k, i) => {
    const r = svg('rect', { class: `f-${k}`, x: x.toFixed(1), width: widths[i].toFixed(1), height: 12 });
    x += widths[i] + gap;
    return r;
  }));
  into.setAttribute('aria-label', parts.map((k) => `${count(counts[k])} ${words(k)}`).join(', ') || 'no rows yet');
}

// ---- values: what changed, and what cannot be seen ----

const UNSEEN = new Map([['\t', 'TAB'], ['\n', '↵'], ['\r', 'CR'], ['\u00a0', 'NBSP'], ['\u200b', 'ZWSP'], ['\u200c', 'ZWNJ'],
  ['\u200d', 'ZWJ'], ['\ufeff', 'BOM'], ['\u00ad', 'SHY'], ['\u2007', 'FIGSP'], ['\u202f', 'NNBSP'], ['\u3000', 'IDSP']]);
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u1680\u17b4\u17b5\u180e\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]/u;
const LONG = 400; // characters of a value that are shown at once

// written adds a text so that nothing in it is invisible. loud marks all of its spaces.
function written(into, text, loud) {
  const chars = [...text];
  let plain = '';
  const flush = () => {
    for (const part of plain.split(/(?<=[@.;,_])/)) { // where a long word may break
      if (part) into.append(part, document.createElement('wbr'));
    }
    plain = '';
  };
  chars.forEach((c, i) => {
    if (c === ' ') {
      const bare = loud || i === 0 || i === chars.length - 1 || chars[i - 1] === ' ' || chars[i + 1] === ' ';
      if (!bare) { plain += c; return; }
      flush();
      into.append(el('span', { class: 'sp' }, ' '));
    } else if (INVISIBLE.test(c)) {
      flush();
      const name = UNSEEN.get(c) ?? 'U+' + c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
      const mark = el('span', { class: 'inv', 'data-name': name });
      mark.append(el('bdi', {}, c));
      into.append(mark);
    } else plain += c;
  });
  flush();
}

const WORD = /[\p{L}\p{N}]/u;

// differing returns how many characters two texts share at their beginnings and ends, cutting no word.
export function differing(before, after) {
  const a = [...before], b = [...after];
  const shorter = Math.min(a.length, b.length);
  if (shorter < 5) return [0, 0];
  let head = 0, tail = 0;
  while (head < shorter && a[head] === b[head]) head++;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const inWord = (s, i) => i > 0 && i < s.length && WORD.test(s[i - 1]) && WORD.test(s[i]) && !/\p{N}/u.test(s[i - 1] + s[i]);
  while (head > 0 && (inWord(a, head) || inWord(b, head))) head--;
  while (tail > 0 && (inWord(a, a.length - tail) || inWord(b, b.length - tail))) tail--;
  return head + tail < 3 ? [0, 0] : [head, tail];
}

// value shows a text, with what differs from the other one marked. The end of a long one comes on demand.
function value(text, other, mark, most = LONG) {
  if (text == null) return [el('span', { class: 'none' }, 'unreadable')];
  if (text === '') return [el('span', { class: 'none' }, 'empty')];
  const chars = [...text], cut = most < chars.length;
  const [head, tail] = other == null ? [0, 0] : differing(text, other);
  const from = Math.min(head, most), to = Math.min(chars.length - tail, most);
  const box = document.createDocumentFragment();
  written(box, chars.slice(0, from).join(''), false);
  const middle = chars.slice(from, to).join('');
  if (middle) {
    const changed = el(mark);
    written(changed, middle, middle.trim() === '');
    box.append(changed);
  }
  written(box, chars.slice(to, cut ? most : chars.length).join(''), false);
  if (cut) {
    const more = el('button', { class: 'link', type: 'button' }, ` … ${count(chars.length)} characters`);
    more.addEventListener('click', () => more.parentElement.replaceChildren(...value(text, other, mark, Infinity)));
    box.append(more);
  }
  return [box];
}

// ---- the table ----

const mounted = new WeakMap(); // by element: what ends the listeners of the table in it
const collator = new Intl.Collator('en', { numeric: true });
const amount = (text) => Number.parseFloat(text) || 0;

// By what rows are sorted.
const SORTS = {
  Line: (r) => r.l, Customer: (r) => r.n || r.k || '', Outcome: (r) => r.o,
  Balance: (r) => amount(r.m?.b), 'Recurring a month': (r) => amount(r.m?.r), 'Next billing': (r) => r.m?.d ?? '',
};

// A row comes as {l: line, k: key, n: customer, o: outcome, c: [[field, before, after], …],
// e: error, x: error code, w: warning, m: {b: balance, r: recurring, d: next billing, p: parent of others}}.
export class Rows {
  // mount is the element that holds the table, in place of the one before; fixes tells what to do about
  // an error code; files are where all rows stand that this page cannot show.
  constructor(mount, { rows, fixes = {}, struck = null, shown = null, files = 'report.csv', onChange = () => {} }) {
    Object.assign(this, { mount, all: rows, fixes, struck, told: shown, files, onChange });
    this.want = { outcome: '', text: '', field: '' };
    this.sort = { by: 'Line', down: false };
    this.active = 0;
    this.build();
    this.renew();
    this.refresh();
  }

  build() {
    mounted.get(this.mount)?.abort();
    const ends = new AbortController(), { signal } = ends;
    mounted.set(this.mount, ends);
    this.money = this.all.some((r) => r.m) && this.all.every((r) => (r.c ?? []).every((c) => c[0] === 'status'));
    const head = el('tr', { role: 'row', 'aria-rowindex': 1 }), cols = el('colgroup');
    const column = (name, width, kind) => {
      const th = el('th', { scope: 'col', role: 'columnheader', class: kind });
      cols.append(el('col', { class: width }));
      head.append(th);
      if (!SORTS[name]) { th.append(name); return; }
      th.dataset.by = name;
      const b = el('button', { type: 'button' }, name + ' ', icon('sort'));
      b.addEventListener('click', () => this.order(name));
      th.append(b);
    };
    if (this.struck) column(el('span', { class: 'vh' }, 'Send'), 'c-tick');
    column('Line', 'c-line');
    column('Customer', 'c-who');
    column('Outcome', 'c-out', 'oh');
    if (this.money) {
      column('Status');
      column('Balance', 'c-mon', 'num');
      column('Recurring a month', 'c-mon', 'num two');
      column('Next billing', 'c-date', 'num');
    } else {
      column('Field', 'c-field');
      column('Before');
      column('After');
    }
    this.above = el('tbody', { class: 'gaps', 'aria-hidden': 'true' }, el('tr', {}, el('td', { colspan: head.children.length, class: 'gap' })));
    this.below = this.above.cloneNode(true);
    const name = this.money ? 'Rows of the file, with what each customer owes and pays' : 'Rows of the file, one line for each field that changes';
    this.table = el('table', { class: `changes blocks${this.struck ? '' : ' plain'}${this.money ? ' holds' : ''}`, role: 'table' },
      el('caption', { class: 'vh' }, name), cols, el('thead', { role: 'rowgroup' }, head), this.above, this.below);
    this.mount.replaceChildren(this.table);
    const draw = () => { if (!this.due) this.due = requestAnimationFrame(() => { this.due = 0; this.draw(); }); };
    addEventListener('scroll', draw, { passive: true, signal });
    addEventListener('resize', () => { this.measure(); draw(); }, { signal });
    addEventListener('beforeprint', () => this.drawAll(2000), { signal });
    addEventListener('afterprint', () => { this.measure(); this.draw(true); }, { signal });
    this.table.addEventListener('keydown', (e) => this.key(e));
    this.table.addEventListener('focusin', (e) => this.hold(e.target.closest('tbody.rows')));
    this.table.addEventListener('change', (e) => {
      if (e.target.matches('input[type=checkbox]')) this.strike([this.all[e.target.dataset.at]], !e.target.checked);
    });
  }

  // renew forgets what was known of rows that are not the same any more.
  renew() {
    this.texts = [];
    this.orders = {};
    this.later ??= (globalThis.requestIdleCallback ?? ((f) => setTimeout(f, 50)))(() => { this.later = null; this.index(4000); });
  }

  // index makes ready the texts that are searched: so many more of them, and the others when there is time.
  index(most) {
    const end = Math.min(this.all.length, this.texts.length + most);
    for (let i = this.texts.length; i < end; i++) {
      const r = this.all[i], parts = [r.l, r.k, r.n, words(r.o), r.x, r.e, r.w];
      for (const c of r.c ?? []) parts.push(c[0], c[1], c[2]);
      this.texts.push(parts.join('\n').toLowerCase());
    }
    if (end < this.all.length) setTimeout(() => this.index(4000));
  }

  // add takes rows that have come since, or have another outcome now.
  add(rows) {
    this.places ??= new Map(this.all.map((r, i) => [r.l, i]));
    for (const r of rows) {
      const at = this.places.get(r.l) ?? this.all.length;
      this.all[at] = r;
      this.places.set(r.l, at);
    }
    if (!this.money && rows.some((r) => r.m)) this.build();
    this.renew();
    this.refresh();
  }

  filter(want) {
    Object.assign(this.want, want);
    this.refresh();
    scrollTo({ top: Math.min(scrollY, this.table.getBoundingClientRect().top + scrollY - 120) });
  }

  order(by) {
    this.sort = { by, down: this.sort.by === by && !this.sort.down };
    this.refresh();
  }

  // sorted are the places of all rows in an order.
  sorted(by) {
    if (this.orders[by]) return this.orders[by];
    const keys = this.all.map(SORTS[by]), order = keys.map((_, i) => i);
    const before = typeof keys[0] === 'number' ? (a, b) => keys[a] - keys[b] : (a, b) => collator.compare(keys[a], keys[b]);
    if (order.some((i) => i > 0 && before(i - 1, i) > 0)) order.sort((a, b) => before(a, b) || this.all[a].l - this.all[b].l);
    return this.orders[by] = order;
  }

  refresh() {
    const { outcome: kind, field } = this.want, text = this.want.text.trim().toLowerCase(), { by, down } = this.sort;
    if (text) this.index(Infinity);
    this.shown = [];
    const order = this.sorted(by);
    for (let n = 0; n < order.length; n++) {
      const i = order[down ? order.length - 1 - n : n], r = this.all[i];
      if (kind && r.o !== kind || field && !r.c?.some((c) => c[0] === field) || text && !this.texts[i].includes(text)) continue;
      this.shown.push(i);
    }
    for (const th of this.table.querySelectorAll('[data-by]')) {
      if (th.dataset.by === by) th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
    if (this.told) this.told.textContent = `${count(this.shown.length)} ${this.shown.length === 1 ? 'row' : 'rows'} shown`;
    this.active = 0;
    this.measure();
    this.draw(true);
    this.onChange(this);
  }

  lines(r) {
    const changes = r.c?.length ?? 0;
    return this.money ? 1 : Math.max(1, changes) + (changes && (r.e || r.x) ? 1 : 0) + (r.w ? 1 : 0);
  }

  // measure guesses how high each block will be, and tells where each row's lines begin.
  measure() {
    const narrow = innerWidth <= 704, heights = new Array(Math.ceil(this.shown.length / BLOCK)).fill(0);
    this.starts = new Int32Array(this.shown.length);
    let line = 2;
    for (let n = 0; n < this.shown.length; n++) {
      const r = this.all[this.shown[n]], lines = this.lines(r);
      this.starts[n] = line;
      line += lines;
      heights[Math.floor(n / BLOCK)] += narrow ? 60 + 42 * lines : Math.max(r.n ? 46 : 30, 28 * lines) + (r.e ? 18 : 0);
    }
    this.heights = heights;
    this.table.setAttribute('aria-rowcount', line - 1);
  }

  draw(anew) {
    const over = innerHeight, { heights } = this; // a screenful is drawn beyond each edge
    let y = this.table.getBoundingClientRect().top + this.table.tHead.offsetHeight, first = 0, top = 0;
    while (first < heights.length - 1 && y + heights[first] < -over) { y += heights[first]; top += heights[first++]; }
    let last = first, bottom = 0;
    while (last < heights.length && y < innerHeight + over) y += heights[last++];
    for (let b = last; b < heights.length; b++) bottom += heights[b];
    if (!anew && this.drawn && this.drawn[0] === first && this.drawn[1] === last) return;
    this.fill(first, last, top, bottom);
  }

  fill(first, last, top, bottom) {
    const focused = this.table.contains(document.activeElement) && document.activeElement.closest('tbody.rows')?.dataset.shown;
    for (const old of this.table.querySelectorAll('tbody.rows, tbody.cut')) old.remove();
    const box = document.createDocumentFragment(), end = Math.min(last * BLOCK, this.shown.length);
    for (let n = first * BLOCK; n < end; n++) box.append(this.row(n));
    if (!this.shown.length) box.append(this.remarkOf('cut', 'No row is like that.'));
    this.table.insertBefore(box, this.below);
    this.above.querySelector('td').style.height = `${top}px`;
    this.below.querySelector('td').style.height = `${bottom}px`;
    this.above.hidden = top === 0;
    this.below.hidden = bottom === 0;
    this.drawn = [first, last];
    const bodies = [...this.table.querySelectorAll('tbody.rows')];
    for (let b = first; b < last; b++) { // as they turned out
      const part = bodies.slice((b - first) * BLOCK, (b - first + 1) * BLOCK);
      if (part.length) this.heights[b] = part.at(-1).getBoundingClientRect().bottom - part[0].getBoundingClientRect().top;
    }
    const reached = this.at(this.active) ?? bodies[0];
    if (reached) reached.tabIndex = 0; // Tab comes to one row
    if (focused) this.at(focused)?.focus({ preventScroll: true });
  }

  at(n) { return this.table.querySelector(`tbody[data-shown="${n}"]`); }

  remarkOf(kind, text) {
    return el('tbody', { class: kind, role: 'rowgroup' }, el('tr', { role: 'row' }, el('td', { colspan: this.table.rows[0].cells.length, class: 'soft', role: 'cell' }, text)));
  }

  // drawAll draws what goes on paper.
  drawAll(most) {
    this.fill(0, Math.ceil(Math.min(this.shown.length, most) / BLOCK), 0, 0);
    const { outcome: kind, text, field } = this.want;
    const by = [kind && words(kind), field, text && `“${text}”`].filter(Boolean).join(', ');
    const rows = (n) => `${count(n)} ${n === 1 ? 'row' : 'rows'}`;
    let told = this.shown.length > most ? `The first ${count(most)} of ${rows(this.shown.length)}` : by ? rows(this.shown.length) : '';
    if (by) told += ` that a filter leaves of ${count(this.all.length)}: ${by}`;
    if (told) this.table.insertBefore(this.remarkOf('cut', `${told}. ${this.files} has them all.`), this.below);
  }

  row(n) {
    const at = this.shown[n], r = this.all[at], changes = r.c ?? [];
    const body = el('tbody', { class: 'rows', role: 'rowgroup', 'data-o': r.o, 'data-shown': n, tabindex: '-1',
      'aria-label': `Line ${r.l}, ${r.n || r.k || 'no key'}, ${words(r.o)}` });
    const lines = this.lines(r), rowspan = lines > 1 ? lines : null;
    let line = el('tr', { role: 'row' });
    if (this.struck) {
      const cell = el('td', { class: 't', role: 'cell', rowspan });
      if (r.o === 'would_change') {
        const box = el('input', { type: 'checkbox', 'aria-label': `Send line ${r.l}`, 'data-at': at, tabindex: '-1' });
        box.checked = !this.struck.has(r.l);
        cell.append(box);
        body.classList.toggle('struck', this.struck.has(r.l));
      }
      line.append(cell);
    }
    const who = el('th', { class: 'w', scope: 'rowgroup', role: 'rowheader', rowspan });
    if (r.n) { const name = el('span', { class: 'name' }); written(name, r.n, false); who.append(name); }
    const key = el('span', { class: r.k ? 'key' : 'none' });
    written(key, r.k ?? 'no key', false);
    who.append(key);
    line.append(el('td', { class: 'l num', role: 'cell', rowspan }, String(r.l)), who, el('td', { class: 's', role: 'cell', rowspan }, outcome(r.o)));
    const end = () => { body.append(line); line = el('tr', { role: 'row' }); };
    if (this.money && changes.length && !r.e) { this.owing(line, r); end(); } else if (this.money) { line.append(this.remark(r, 4)); end(); } else {
      for (const [field, before, after] of changes) {
        const name = el('td', { class: 'f', role: 'cell' });
        written(name, field, false);
        line.append(name, el('td', { class: 'b v', role: 'cell' }, ...value(before, after, 'del')),
          el('td', { class: 'a v', role: 'cell' }, ...value(after, before, 'ins')));
        end();
      }
      if (r.e || r.x || !changes.length) { line.append(this.remark(r, 3)); end(); }
      if (r.w) {
        const note = el('span');
        written(note, r.w, false);
        line.append(el('td', { class: 'e soft', colspan: 3, role: 'cell' }, el('div', { class: 'note' }, icon('warn'), note)));
        end();
      }
    }
    [...body.rows].forEach((tr, i) => tr.setAttribute('aria-rowindex', this.starts[n] + i));
    return body;
  }

  // owing shows a customer who goes on hold, or comes off it.
  owing(line, r) {
    const [, before, after] = r.c[0], m = r.m ?? {};
    line.append(el('td', { class: 'b', role: 'cell' }, ...value(before, after, 'del'), ' → ', ...value(after, before, 'ins'),
      ...(m.p ? [' ', el('span', { class: 'o' }, icon('warn'), el('span', {}, 'parent of other customers'))] : []),
      ...(r.w ? [el('span', { class: 'fix' }, r.w)] : [])));
    for (const [name, text] of [['balance', m.b], ['recurring a month', m.r], ['next billing', m.d]]) {
      line.append(el('td', { class: 'num m', role: 'cell', 'data-l': name }, text || '—'));
    }
  }

  remark(r, colspan) {
    const cell = el('td', { class: r.e || r.x ? 'e' : 'e soft', colspan, role: 'cell' });
    if (!r.e && !r.x) {
      const still = { unchanged: 'nothing to change', changed: 'as asked for', would_change: 'as asked for', not_attempted: 'not yet' };
      cell.append(still[r.o] ?? '');
      return cell;
    }
    const text = el('span', { class: 'errtext' });
    written(text, r.e ?? '', false);
    cell.append(text);
    if (r.x) cell.append(' ', el('span', { class: 'code soft' }, r.x));
    if (this.fixes[r.x]) cell.append(el('span', { class: 'fix' }, `Fix: ${this.fixes[r.x]}`));
    return cell;
  }

  // strike takes rows out of what is sent, or back in.
  strike(rows, out) {
    for (const r of rows) if (r.o === 'would_change') this.struck[out ? 'add' : 'delete'](r.l);
    for (const body of this.table.querySelectorAll('tbody.rows')) {
      const r = this.all[this.shown[body.dataset.shown]], box = body.querySelector('input');
      if (!box) continue;
      box.checked = !this.struck.has(r.l);
      body.classList.toggle('struck', !box.checked);
    }
    this.onChange(this);
  }

  visible() { return this.shown.map((i) => this.all[i]).filter((r) => r.o === 'would_change'); }

  // some reports whether a row that is shown, and would be sent, is like that; it looks no further than to the first.
  some(like) { return this.shown.some((i) => this.all[i].o === 'would_change' && like(this.all[i])); }

  key(e) {
    const body = e.target.closest('tbody.rows');
    if (!body || e.target.matches('button') || e.ctrlKey || e.metaKey || e.altKey) return;
    const n = Number(body.dataset.shown), page = Math.max(1, Math.floor(innerHeight / 60));
    const to = { ArrowDown: n + 1, ArrowUp: n - 1, PageDown: n + page, PageUp: n - page, Home: 0, End: this.shown.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      this.go(Math.max(0, Math.min(this.shown.length - 1, to)));
    } else if (e.key === ' ' && this.struck && !e.target.matches('input')) {
      e.preventDefault();
      const r = this.all[this.shown[n]];
      this.strike([r], !this.struck.has(r.l));
    } else if (e.key === 'Enter') body.querySelector('.v button')?.click();
  }

  // hold makes a row the one that Tab comes to.
  hold(body) {
    if (!body) return;
    for (const old of this.table.querySelectorAll('tbody.rows[tabindex="0"]')) old.tabIndex = -1;
    body.tabIndex = 0;
    this.active = Number(body.dataset.shown);
  }

  // go moves to a row, be it drawn or not.
  go(n) {
    const block = Math.floor(n / BLOCK);
    this.active = n;
    if (block < this.drawn[0] || block >= this.drawn[1]) {
      let y = this.table.getBoundingClientRect().top + scrollY;
      for (let b = 0; b < block; b++) y += this.heights[b];
      scrollTo({ top: y + this.heights[block] * (n % BLOCK) / BLOCK - 100 });
      this.draw(true);
    }
    const body = this.at(n);
    if (!body) return;
    body.focus({ preventScroll: true });
    body.scrollIntoView({ block: 'nearest' });
  }
}

// controls binds the filters of a page to its rows.
export function controls(page, rows) {
  const search = page.querySelector('[data-filter]'), field = page.querySelector('[data-field]');
  const chips = [...page.querySelectorAll('.chip')];
  const press = (kind) => chips.forEach((c) => c.setAttribute('aria-pressed', String(c.dataset.outcome === kind)));
  chips.forEach((c) => c.addEventListener('click', () => { press(c.dataset.outcome); rows.filter({ outcome: c.dataset.outcome }); }));
  search?.addEventListener('input', () => rows.filter({ text: search.value }));
  field?.addEventListener('change', () => rows.filter({ field: field.value }));
  page.addEventListener('click', (e) => { // buttons come and go with what is struck out
    const b = e.target.closest('[data-find]');
    if (!b) return;
    const isField = field && [...field.options].some((o) => o.value === b.dataset.find);
    if (search) search.value = isField ? '' : b.dataset.find;
    if (field) field.value = isField ? b.dataset.find : '';
    press('');
    rows.filter({ outcome: '', text: search?.value ?? '', field: field?.value ?? '' });
    rows.table.scrollIntoView({ block: 'start' });
  });
  addEventListener('keydown', (e) => {
    const typing = e.target.matches('input, select, textarea');
    if (e.key === '/' && !typing && search) { e.preventDefault(); search.focus(); }
    if (e.key === 'Escape' && e.target === search) {
      if (search.value) { search.value = ''; rows.filter({ text: '' }); } else search.blur();
    }
    if (e.key === 'd' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) page.querySelector('#decide')?.scrollIntoView();
  });
}

// plot draws requests over time against the allowance. minutes: [[start in ms, own requests, those of others], …];
// zone: the minutes by which its clock is ahead of UTC, where that is not this computer's.
export function plot(into, minutes, { limit = 0, usable = 0, zone = null } = {}) {
  into.replaceChildren();
  if (!minutes.length) return;
  const start = minutes[0][0], last = minutes.at(-1)[0];
  const wide = [1, 5, 15, 60, 360, 1440].find((w) => (last - start) / 60000 / w < 60) ?? 10080; // minutes a bar
  const step = 60000 * wide, bars = new Array(Math.floor((last - start) / step) + 1).fill(0), others = [...bars];
  for (const [at, n, theirs] of minutes) {
    bars[Math.floor((at - start) / step)] += n;
    others[Math.floor((at - start) / step)] += theirs ?? 0;
  }
  const clock = (ms) => zone === null ? new Date(ms).toTimeString().slice(0, 5) : new Date(ms + 60000 * zone).toISOString().slice(11, 16);
  const most = Math.max(1, limit * wide, ...bars.map((n, i) => n + others[i])), top = most * 1.05, left = 44, right = 650, foot = 166, high = 142;
  const y = (n) => foot - high * n / top;
  const room = (right - left) / bars.length, width = Math.min(44, room * 0.8);
  const tens = 10 ** Math.floor(Math.log10(most / 4)), mark = Math.max(1, [1, 2, 2.5, 5, 10].find((m) => m * tens * 4 >= most) * tens);
  for (let i = 0; i * mark <= most; i++) {
    const n = i * mark;
    into.append(svg('path', { class: 'grid', d: `M${left} ${y(n).toFixed(1)}H${right}` }),
      svg('text', { x: 36, y: (y(n) + 4).toFixed(1), 'text-anchor': 'end', ...(i % 2 ? { class: 'wide' } : {}) }, count(n)));
  }
  bars.forEach((n, i) => {
    const when = clock(start + i * step), x = left + room * (i + 0.5);
    into.append(svg('rect', { class: 'own', x: (x - width / 2).toFixed(1), y: y(n).toFixed(1), width: width.toFixed(1),
      height: (foot - y(n)).toFixed(1) }, svg('title', {}, `${when}: ${count(n)} requests`)));
    if (others[i]) into.append(svg('rect', { class: 'others', x: (x - width / 2).toFixed(1), y: y(n + others[i]).toFixed(1), width: width.toFixed(1),
      height: (y(n) - y(n + others[i])).toFixed(1) }, svg('title', {}, `${when}: ${count(others[i])} requests of the account’s other users`)));
    const every = Math.ceil(bars.length / 8);
    if (i % every === 0) into.append(svg('text', { x: x.toFixed(1), y: 184, 'text-anchor': 'middle', ...(i % (2 * every) ? { class: 'wide' } : {}) }, when));
  });
  const line = (name, n, down) => into.append(svg('path', { class: name, d: `M${left} ${y(n * wide).toFixed(1)}H${right}` }),
    svg('text', { x: right + 6, y: (y(n * wide) + down).toFixed(1) }, name));
  if (limit) line('limit', limit, 4);
  if (usable && usable !== limit) line('usable', usable, y(usable * wide) - y(limit * wide) < 14 ? 16 : 4);
  const each = { 1: 'minute', 5: '5 minutes', 15: '15 minutes', 60: 'hour', 360: '6 hours', 1440: 'day' }[wide] ?? 'week';
  into.setAttribute('aria-label', `Requests each ${each}: ${bars.map(count).join(', ')}`
    + (others.some(Boolean) ? `; of the account’s other users: ${others.map(count).join(', ')}` : '') + (limit ? `; the limit is ${count(limit)} a minute` : ''));
}
