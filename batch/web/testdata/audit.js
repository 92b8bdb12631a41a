// What can be said of a page by looking at its elements: a list of what is wrong with it.
(() => {
  const found = [], all = (s, in_ = document) => [...in_.querySelectorAll(s)];
  const name = (e) => e.outerHTML.replace(/\s+/g, ' ').slice(0, 140);
  const say = (what, e) => found.push(e ? `${what}: ${name(e)}` : what);
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.sprite, [aria-hidden=true]') && e.getClientRects().length > 0;
  const hidden = (e) => e.closest('.vh') !== null; // from sight only

  // ---- its frame ----
  if (!document.documentElement.lang) say('the page has no language');
  if (all('h1').length !== 1) say(`${all('h1').length} headings of the first level`);
  if (all('main').length !== 1) say(`${all('main').length} main parts`);
  let level = 0;
  for (const h of all('h1, h2, h3, h4').filter(shown)) {
    const n = Number(h.tagName[1]);
    if (n > level + 1 && !h.closest('aside')) say(`a heading of level ${n} after one of level ${level}`, h);
    level = n;
  }
  for (const e of all('nav, aside, section.group, [role=region]').filter(shown)) {
    if (!e.hasAttribute('aria-label') && !e.hasAttribute('aria-labelledby') && e.matches('nav, aside, [role=region]')) say('a part without a name', e);
  }
  const ids = all('[id]').map((e) => e.id), twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice) say(`two elements are called ${twice}`);
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'for']) {
    for (const e of all(`[${attribute}]`)) {
      for (const id of e.getAttribute(attribute).split(/\s+/)) if (!document.getElementById(id)) say(`${attribute} leads nowhere`, e);
    }
  }

  // ---- names and roles ----
  const called = (e) => (e.getAttribute('aria-label') ?? '')
    || (e.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id)?.textContent ?? '').join(' ')
    || [...(e.labels ?? [])].map((l) => l.textContent).join(' ')
    || (e.matches('input, select, textarea') ? '' : e.textContent) || e.title || '';
  const controls = all('button, a[href], input:not([type=hidden]), select, textarea, summary, [tabindex="0"]').filter(shown);
  for (const e of controls) {
    if (!called(e).trim()) say('a control without a name', e);
    if (e.tabIndex > 0) say('a place of its own in the order of Tab', e);
    if (e.matches('[tabindex="0"]:not(button, a, input, select, summary)') && !e.getAttribute('role')) say('it takes the focus, and has no role', e);
  }
  for (const s of all('svg').filter((s) => s.checkVisibility())) {
    if (s.closest('.sprite') || s.closest('[aria-hidden=true]')) continue;
    if (s.getAttribute('role') !== 'img' || !(s.getAttribute('aria-label') || s.querySelector('title'))) say('a picture without a name', s);
  }
  for (const t of all('table')) {
    if (!t.caption && !t.hasAttribute('aria-label')) say('a table without a caption', t);
    if (!all('th', t).length) say('a table without headings', t);
    for (const h of all('th', t)) if (!h.hasAttribute('scope')) say('a heading of no rows or columns', h);
    for (const h of all('thead th', t).filter(shown)) if (!h.textContent.trim()) say('an empty heading', h);
    if (getComputedStyle(t).display === 'table' && !t.hasAttribute('role')) continue;
    for (const e of all('thead, tbody, tr, th, td', t)) {
      if (!e.hasAttribute('role') && !e.closest('[aria-hidden=true]')) { say('a part of a table that is drawn otherwise has no role', e); break; }
    }
  }

  // ---- what is read out when it changes ----
  const may = '[data-shown], .shown, .wait, [data-stopped], [data-hint], [data-said]';
  for (const e of all('[aria-live], [role=status], [role=alert], [role=log]')) if (!e.matches(may)) say('it is read out whenever it changes', e);
  for (const e of all('[data-rate], [data-requests], [data-today], [data-finish], [data-lead], .chips, .plot')) {
    if (e.closest('[aria-live], [role=status], [role=alert]')) say('a figure that is read out each time', e);
  }

  // ---- sizes ----
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const e = all('body *').find((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .env') && shown(e));
    say(`the page is ${wide} wide in a window of ${innerWidth}`, e ?? document.body);
  }
  for (const e of all('.decide > div, .decide section *, .note *').filter(shown)) {
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !hidden(e) && !e.matches('select, input, .scroll, .scroll *')) say('wider than its place', e);
  }
  for (const e of all('button, .btn, select, input:not([type=hidden]), summary').filter((e) => shown(e) && !hidden(e))) {
    const box = (e.closest('label') ?? e).getBoundingClientRect();
    const inText = e.matches('.link'); // a link within a sentence is as high as its line
    if (!inText && (box.height < 24 && box.width < 200 || box.width < 24) && !e.closest('td.t')) say(`hard to hit, ${box.width.toFixed()} × ${box.height.toFixed()}`, e);
  }

  // ---- contrast ----
  const parse = (text) => { const m = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0]; return m.length < 4 ? [...m, 1] : m; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  // grounds are the colours that may lie below an element: of a gradient all of its own.
  const grounds = (e) => {
    if (!e) return [parse(getComputedStyle(document.documentElement).backgroundColor)];
    const style = getComputedStyle(e), own = parse(style.backgroundColor);
    const stripes = style.backgroundImage.match(/rgba?\([^)]*\)/g);
    if (stripes) return stripes.map(parse);
    if (own[3] === 1) return [own];
    return grounds(e.parentElement).map((under) => own[3] ? over(own, under) : under);
  };
  const worst = (colour, e) => Math.min(...grounds(e).map((g) => ratio(over(colour, g), g)));
  const opacity = (e) => { let n = 1; for (; e; e = e.parentElement) n *= Number(getComputedStyle(e).opacity); return n; };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), told = new Set();
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e || told.has(e) || hidden(e) || !shown(e) || e.closest(':disabled, option')) continue;
    told.add(e);
    const style = getComputedStyle(e), colour = parse(style.color);
    colour[3] *= opacity(e);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    const n = worst(colour, e);
    if (n < (large ? 3 : 4.5)) say(`contrast ${n.toFixed(2)}`, e);
  }
  for (const e of all('button:not(.link), .btn, select, input:is([type=text], [type=search])').filter((e) => shown(e) && !hidden(e) && !e.disabled)) {
    const style = getComputedStyle(e), edge = parse(style.borderTopColor), fill = parse(style.backgroundColor);
    const n = Math.max(parseFloat(style.borderTopWidth) ? worst(edge, e.parentElement) : 1, worst(fill, e.parentElement));
    if (n < 3 && !e.closest('th')) say(`an outline of contrast ${n.toFixed(2)}`, e);
  }
  for (const e of all('.i, .stack rect, .plot rect.own').filter((e) => e.checkVisibility() && !e.closest('.sprite, :disabled'))) {
    const style = getComputedStyle(e), under = e.closest('svg').parentElement;
    const drawn = e.matches('.i') ? [style.color] : [style.fill, style.stroke].filter((c) => c !== 'none');
    if (Math.max(...drawn.map((c) => worst(parse(c), under))) < 3) say('a picture of little contrast', e);
  }
  return found;
})()
