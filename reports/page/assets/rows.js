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

function value(text, other, mark) {
  if (text == null) return [el('span', { class: 'none' }, 'unreadable')];
  if (text === '') return [el('span', { class: 'none' }, 'empty')];
  const cut = text.length > LONG ? text.slice(0, LONG) : text;
  const chars = [...cut];
  const [head, tail] = other == null ? [0, 0] : differing(text, other);
  const end = Math.max(head, [...text].length - tail);
  const box = document.createDocumentFragment();
  written(box, chars.slice(0, head).join(''), false);
  const middle = chars.slice(head, end).join('');
  if (middle) {
    const changed = el(mark);
    written(changed, middle, middle.trim() === '');
    box.append(changed);
  }
  written(box, chars.slice(end).join(''), false);
  if (cut !== text) {
    const more = el('button', { class: 'link', type: 'button' }, ` … ${count(text.length)} characters`);
    more.addEventListener('click', () => { more.replaceWith(document.createTextNode(text.slice(LONG))); });
    box.append(more);
  }
  return [box];
}

// ---- the table ----

// A row comes as {l: line, k: key, n: customer, o: outcome, c: [[field, before, after], …],
// e: error, x: error code, w: warning, m: {b: balance, r: recurring, d: next billing}}.
export class Rows {
  // mount is the element that holds the table; fixes tells what to do about an error code.
  constructor(mount, { rows, fixes = {}, struck = null, shown = null, onChange = () => {} }) {
    Object.assign(this, { mount, all: rows, fixes, struck, told: shown, onChange });
    this.want = { outcome: '', text: '', field: '' };
    this.sort = { by: 'l', down: false };
    this.heights = [];
    this.active = -1;
    this.build();
    this.refresh();
  }

  build() {
    const names = ['Line', 'Customer', 'Outcome', 'Field', 'Before', 'After'];
    const keys = { Line: 'l', Customer: 'n', Outcome: 'o' };
    const head = el('tr', { role: 'row' });
    if (this.struck) head.append(el('th', { scope: 'col', role: 'columnheader' }, el('span', { class: 'vh' }, 'Send')));
    for (const name of names) {
      const th = el('th', { scope: 'col', role: 'columnheader', class: name === 'Outcome' ? 'oh' : null });
      if (!keys[name]) { th.append(name); head.append(th); continue; }
      const b = el('button', { type: 'button' }, name + ' ', icon('sort'));
      b.addEventListener('click', () => this.order(keys[name]));
      th.dataset.by = keys[name];
      th.append(b);
      head.append(th);
    }
    const cols = el('colgroup');
    for (const c of [this.struck ? 'c-tick' : null, 'c-line', 'c-who', 'c-out', 'c-field']) if (c) cols.append(el('col', { class: c }));
    cols.append(el('col'), el('col'));
    this.above = el('tbody', { 'aria-hidden': 'true' }, el('tr', {}, el('td', { colspan: 7, class: 'gap' })));
    this.below = this.above.cloneNode(true);
    this.table = el('table', { class: 'changes blocks' + (this.struck ? '' : ' plain'), role: 'table' },
      el('caption', { class: 'vh' }, 'Rows of the file, one line for each field that changes'), cols,
      el('thead', { role: 'rowgroup' }, head), this.above, this.below);
    this.mount.replaceChildren(this.table);
    const draw = () => { if (!this.due) this.due = requestAnimationFrame(() => { this.due = 0; this.draw(); }); };
    addEventListener('scroll', draw, { passive: true });
    addEventListener('resize', () => { this.heights = []; draw(); });
    addEventListener('beforeprint', () => this.drawAll(2000));
    addEventListener('afterprint', () => this.draw(true));
    this.table.addEventListener('keydown', (e) => this.key(e));
    this.table.addEventListener('change', (e) => {
      if (e.target.matches('input[type=checkbox]')) this.strike([this.all[e.target.dataset.at]], !e.target.checked);
    });
  }

  // add takes rows that have come since, or have another outcome now.
  add(rows) {
    for (const r of rows) {
      const at = this.places?.get(r.l) ?? this.all.findIndex((o) => o.l === r.l);
      if (at >= 0) this.all[at] = r; else this.all.push(r);
    }
    this.places = new Map(this.all.map((r, i) => [r.l, i]));
    this.refresh();
  }

  text(r) {
    r.text ??= [r.l, r.k, r.n, words(r.o), r.x, r.e, r.w, ...(r.c ?? []).flat()].join('\n').toLowerCase();
    return r.text;
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

  refresh() {
    const { outcome: kind, field } = this.want, text = this.want.text.trim().toLowerCase();
    this.shown = [];
    this.all.forEach((r, i) => {
      if (kind && r.o !== kind || field && !(r.c ?? []).some((c) => c[0] === field) || text && !this.text(r).includes(text)) return;
      this.shown.push(i);
    });
    const { by, down } = this.sort, sign = down ? -1 : 1;
    if (by !== 'l' || down || this.places) {
      const of = (i) => this.all[i][by] ?? '';
      this.shown.sort((a, b) => sign * (by === 'l' ? of(a) - of(b) : of(a).localeCompare(of(b))) || this.all[a].l - this.all[b].l);
    }
    for (const th of this.table.querySelectorAll('[data-by]')) {
      if (th.dataset.by === by) th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
    this.table.setAttribute('aria-rowcount', this.shown.length + 1);
    if (this.told) this.told.textContent = `${count(this.shown.length)} ${this.shown.length === 1 ? 'row' : 'rows'} shown`;
    this.heights = [];
    this.draw(true);
    this.onChange(this);
  }

  lines(r) { return Math.max(1, (r.c ?? []).length) + (r.e && r.c?.length ? 1 : 0); }

  height(block) {
    if (this.heights[block]) return this.heights[block];
    const narrow = innerWidth <= 704;
    let h = 0;
    for (const i of this.shown.slice(block * BLOCK, (block + 1) * BLOCK)) {
      const r = this.all[i], n = this.lines(r);
      h += narrow ? 60 + 42 * n : Math.max(r.n ? 46 : 30, 28 * n) + (r.e ? 18 : 0);
    }
    return h;
  }

  draw(anew) {
    const blocks = Math.ceil(this.shown.length / BLOCK);
    let y = this.above.getBoundingClientRect().top, first = 0, top = 0;
    const over = innerHeight; // a screenful is drawn beyond each edge
    while (first < blocks - 1 && y + this.height(first) < -over) { y += this.height(first); top += this.height(first); first++; }
    let last = first, bottom = 0, end = y;
    while (last < blocks && end < innerHeight + over) end += this.height(last++);
    for (let b = last; b < blocks; b++) bottom += this.height(b);
    if (!anew && this.drawn && this.drawn[0] === first && this.drawn[1] === last) return;
    this.fill(first, last, top, bottom);
  }

  fill(first, last, top, bottom) {
    const focused = this.table.contains(document.activeElement) && document.activeElement.closest('tbody.rows')?.dataset.shown;
    for (const old of this.table.querySelectorAll('tbody.rows')) old.remove();
    const box = document.createDocumentFragment();
    for (let n = first * BLOCK; n < Math.min(last * BLOCK, this.shown.length); n++) box.append(this.row(n));
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
    if (focused) this.table.querySelector(`tbody[data-shown="${focused}"]`)?.focus({ preventScroll: true });
  }

  drawAll(most) {
    this.fill(0, Math.ceil(Math.min(this.shown.length, most) / BLOCK), 0, 0);
    if (this.shown.length > most) {
      this.table.tBodies[this.table.tBodies.length - 2].after(el('tbody', { class: 'rows' }, el('tr', {}, el('td', { colspan: 7 },
        `The first ${count(most)} of ${count(this.shown.length)} rows; report.csv has them all.`))));
    }
  }

  row(n) {
    const at = this.shown[n], r = this.all[at], body = el('tbody', { class: 'rows', role: 'rowgroup', 'data-o': r.o, 'data-shown': n,
      tabindex: n === Math.max(0, this.active) ? '0' : '-1', 'aria-rowindex': n + 2 });
    const changes = r.c ?? [], span = this.lines(r);
    const spanned = span > 1 ? span : null;
    const first = el('tr', { role: 'row' });
    if (this.struck) {
      const cell = el('td', { class: 't', role: 'cell', rowspan: spanned });
      if (r.o === 'would_change') {
        const box = el('input', { type: 'checkbox', 'aria-label': `Send line ${r.l}`, 'data-at': at, tabindex: '-1' });
        box.checked = !this.struck.has(r.l);
        cell.append(box);
        body.classList.toggle('struck', this.struck.has(r.l));
      }
      first.append(cell);
    }
    const who = el('th', { class: 'w', scope: 'rowgroup', role: 'rowheader', rowspan: spanned });
    if (r.n) { const name = el('span', { class: 'name' }); written(name, r.n, false); who.append(name); }
    who.append(r.k ? el('span', { class: 'key' }, r.k) : el('span', { class: 'none' }, 'no key'));
    first.append(el('td', { class: 'l num', role: 'cell', rowspan: spanned }, String(r.l)), who,
      el('td', { class: 's', role: 'cell', rowspan: spanned }, outcome(r.o)));
    let line = first;
    for (const [field, before, after] of changes) {
      const name = el('td', { class: 'f', role: 'cell' });
      written(name, field, false);
      line.append(name, el('td', { class: 'b v', role: 'cell' }, ...value(before, after, 'del')),
        el('td', { class: 'a v', role: 'cell' }, ...value(after, before, 'ins')));
      body.append(line);
      line = el('tr', { role: 'row' });
    }
    if (r.e || !changes.length) {
      line.append(this.remark(r));
      body.append(line);
    }
    return body;
  }

  remark(r) {
    const cell = el('td', { class: r.e ? 'e' : 'e soft', colspan: 3, role: 'cell' });
    if (!r.e) {
      const still = { unchanged: 'has these values already', changed: 'as asked for', would_change: 'as asked for' };
      cell.append(r.w || still[r.o] || '');
      return cell;
    }
    const text = el('span', { class: 'errtext' });
    written(text, r.e, false);
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

  key(e) {
    const body = e.target.closest('tbody.rows');
    if (!body || e.target.matches('button')) return;
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

  go(n) {
    this.active = n;
    const block = Math.floor(n / BLOCK);
    if (block < this.drawn[0] || block >= this.drawn[1]) {
      let y = this.table.getBoundingClientRect().top + scrollY;
      for (let b = 0; b < block; b++) y += this.height(b);
      scrollTo({ top: y - 100 });
      this.draw(true);
    }
    for (const old of this.table.querySelectorAll('tbody.rows[tabindex="0"]')) old.tabIndex = -1;
    const body = this.table.querySelector(`tbody[data-shown="${n}"]`);
    if (!body) return;
    body.tabIndex = 0;
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
  for (const b of page.querySelectorAll('[data-find]')) b.addEventListener('click', () => {
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

// plot draws requests over time against the allowance. minutes: [[start in ms, own requests], …].
export function plot(into, minutes, { limit = 0, usable = 0 } = {}) {
  into.replaceChildren();
  if (!minutes.length) return;
  const wide = minutes.length > 60 ? 5 : 1; // minutes a bar
  const bars = [];
  const start = minutes[0][0], step = 60000 * wide;
  for (const [at, n] of minutes) {
    const b = Math.floor((at - start) / step);
    bars[b] = (bars[b] ?? 0) + n;
  }
  const top = Math.max(limit * wide, ...bars.map((n) => n ?? 0)) * 1.05, left = 44, right = 650, foot = 166, high = 142;
  const y = (n) => foot - high * n / top;
  const room = (right - left) / bars.length, width = Math.min(44, room * 0.8);
  for (let i = 0; i <= 4; i++) {
    const n = Math.round(top * i / 4);
    into.append(svg('path', { class: 'grid', d: `M${left} ${y(n).toFixed(1)}H${right}` }),
      svg('text', { x: 36, y: (y(n) + 4).toFixed(1), 'text-anchor': 'end', ...(i % 2 ? { class: 'wide' } : {}) }, count(n)));
  }
  bars.forEach((n, i) => {
    const when = new Date(start + i * step).toTimeString().slice(0, 5), x = left + room * (i + 0.5);
    into.append(svg('rect', { class: 'own', x: (x - width / 2).toFixed(1), y: y(n ?? 0).toFixed(1), width: width.toFixed(1),
      height: (foot - y(n ?? 0)).toFixed(1) }, svg('title', {}, `${when}: ${count(n ?? 0)} requests`)));
    const every = Math.ceil(bars.length / 8);
    if (i % every === 0) into.append(svg('text', { x: x.toFixed(1), y: 184, 'text-anchor': 'middle', ...(i % (2 * every) ? { class: 'wide' } : {}) }, when));
  });
  if (limit) into.append(svg('path', { class: 'limit', d: `M${left} ${y(limit * wide)}H${right}` }),
    svg('text', { x: right + 6, y: y(limit * wide) + 4 }, 'limit'));
  if (usable && usable !== limit) into.append(svg('path', { class: 'usable', d: `M${left} ${y(usable * wide)}H${right}` }),
    svg('text', { x: right + 6, y: y(usable * wide) + 16 }, 'usable'));
  into.setAttribute('aria-label', `Requests each ${wide === 1 ? 'minute' : '5 minutes'}: ${bars.map((n) => count(n ?? 0)).join(', ')}`
    + (limit ? `; the limit is ${count(limit)} a minute` : ''));
}
